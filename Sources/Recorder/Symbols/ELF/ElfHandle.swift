import CElf
import Glibc
import SystemPackage

/// The one owner of a libelf descriptor; every call into libelf is here.
///
/// What it hands out is copied, so no pointer into the file outlives a call. Sizes from the file are
/// held against the file's own size before libelf is asked to allocate for them.
@safe
struct ElfHandle: ~Copyable {
  private let elf: OpaquePointer
  private let descriptor: FileDescriptor?
  private let image: UnsafeMutableBufferPointer<CChar>?
  /// The size of the file in bytes.
  let size: UInt64

  /// Takes over an open descriptor; it is closed with the handle, or at once when libelf refuses.
  init(owning descriptor: FileDescriptor, size: UInt64) throws(ELFError) {
    // No pointer is passed to the first call; the second takes a null reference, and its result is
    // checked before use.
    _ = elf_version(UInt32(EV_CURRENT))
    guard let elf = unsafe elf_begin(descriptor.rawValue, ELF_C_READ, nil) else {
      try? descriptor.close()
      throw .damaged("the ELF header")
    }
    unsafe self.elf = elf
    self.descriptor = descriptor
    unsafe image = nil
    self.size = size
  }

  /// Reads from a copy of the bytes, for files that are not on a disk.
  init(bytes: [UInt8]) throws(ELFError) {
    _ = elf_version(UInt32(EV_CURRENT))
    let image = UnsafeMutableBufferPointer<CChar>.allocate(capacity: max(bytes.count, 1))
    unsafe image.initialize(repeating: 0)
    // Both indices run over `bytes`, and the image is at least as long.
    for index in bytes.indices { unsafe image[index] = CChar(bitPattern: bytes[index]) }
    // libelf reads `bytes.count` bytes of the image, which lives until `deinit`.
    guard let elf = unsafe elf_memory(image.baseAddress, bytes.count) else {
      unsafe image.deallocate()
      throw .damaged("the ELF header")
    }
    unsafe self.elf = elf
    descriptor = nil
    unsafe self.image = image
    size = UInt64(bytes.count)
  }

  deinit {
    // The handle is ours alone and not used again; the image is freed after its last reader.
    _ = unsafe elf_end(elf)
    try? descriptor?.close()
    unsafe image?.deallocate()
  }

  /// The file header, or nil when libelf finds none.
  func header() -> GElf_Ehdr? {
    var header = GElf_Ehdr()
    // `header` is a whole structure of the type libelf fills.
    guard unsafe gelf_getehdr(elf, &header) != nil else { return nil }
    return header
  }

  /// The program headers; empty when there are none or libelf finds them damaged.
  func programHeaders() -> [GElf_Phdr] {
    var count = 0
    // `count` is a `size_t`; the loop stays below it and below the limit of the format.
    guard unsafe elf_getphdrnum(elf, &count) == 0 else { return [] }
    var result: [GElf_Phdr] = []
    for index in 0..<min(max(count, 0), Int(UInt16.max)) {
      var header = GElf_Phdr()
      // libelf checks the index; `header` is a whole structure.
      guard unsafe gelf_getphdr(elf, Int32(index), &header) != nil else { break }
      result.append(header)
    }
    return result
  }

  /// The section headers with their names; empty when there are none or they are damaged.
  func sectionHeaders() -> [(name: String, header: GElf_Shdr)] {
    var count = 0
    var namesIndex = 0
    // Both are `size_t`; the results are checked, and each section pointer before use.
    guard unsafe elf_getshdrnum(elf, &count) == 0,
      unsafe elf_getshdrstrndx(elf, &namesIndex) == 0
    else { return [] }
    var headers: [GElf_Shdr] = []
    // A section header takes 64 bytes of the file, so the file's size bounds the count.
    for index in 0..<min(max(count, 0), Int(size / 64)) {
      var header = GElf_Shdr()
      guard let section = unsafe elf_getscn(elf, index),
        unsafe gelf_getshdr(section, &header) != nil
      else { break }
      headers.append(header)
    }
    let names =
      headers.indices.contains(namesIndex)
      ? StringTable(bytes(of: headers[namesIndex]) ?? []) : StringTable([])
    return headers.map { (names.string(at: UInt64($0.sh_name), limit: 256) ?? "", $0) }
  }

  /// The bytes of the file at an offset; nil when the range is not inside the file.
  func bytes(at offset: UInt64, count: UInt64) -> [UInt8]? {
    guard let data = unsafe rawData(at: offset, count: count, type: ELF_T_BYTE) else { return nil }
    guard count > 0 else { return [] }
    // libelf set `d_size` to the buffer's length; it is non-null for a non-empty chunk.
    guard let buffer = unsafe data.pointee.d_buf else { return nil }
    return unsafe [UInt8](UnsafeRawBufferPointer(start: buffer, count: data.pointee.d_size))
  }

  /// The bytes of a section; nil for one without bytes in the file, or beyond its end.
  func bytes(of section: GElf_Shdr) -> [UInt8]? {
    guard section.sh_type != UInt32(SHT_NOBITS), section.sh_flags & UInt64(SHF_COMPRESSED) == 0
    else { return nil }
    return bytes(at: section.sh_offset, count: section.sh_size)
  }

  /// The symbols of a symbol section.
  func symbols(of section: GElf_Shdr) -> [GElf_Sym] {
    unsafe elements(of: section, type: ELF_T_SYM, initial: GElf_Sym()) { data, index, symbol in
      // libelf checks the index against the data's size; `symbol` is a whole structure.
      unsafe gelf_getsym(data, index, &symbol) != nil
    }
  }

  /// The version index of each dynamic symbol (`.gnu.version`).
  func versionIndices(of section: GElf_Shdr) -> [GElf_Versym] {
    unsafe elements(of: section, type: ELF_T_HALF, initial: GElf_Versym()) { data, index, version in
      // libelf checks the index against the data's size; `version` is a whole value.
      unsafe gelf_getversym(data, index, &version) != nil
    }
  }

  /// The dynamic entries in a range of the file (`PT_DYNAMIC`), up to `DT_NULL`.
  func dynamicEntries(at offset: UInt64, count: UInt64) -> [(tag: Int64, value: UInt64)] {
    var section = GElf_Shdr()
    section.sh_offset = offset
    section.sh_size = count
    let entries = unsafe elements(of: section, type: ELF_T_DYN, initial: GElf_Dyn()) {
      data, index, entry in
      // libelf checks the index against the data's size; `entry` is a whole structure.
      unsafe gelf_getdyn(data, index, &entry) != nil && entry.d_tag != Int64(DT_NULL)
    }
    // Both members of the union are 64-bit numbers, so either may be read.
    return entries.map { ($0.d_tag, unsafe $0.d_un.d_val) }
  }

  /// The versions a library defines (`.gnu.version_d`): index, and offset of the name.
  func versionDefinitions(of section: GElf_Shdr) -> [(index: UInt16, nameOffset: UInt64)] {
    guard
      let data = unsafe rawData(
        at: section.sh_offset, count: section.sh_size, type: ELF_T_VDEF)
    else { return [] }
    var result: [(UInt16, UInt64)] = []
    var offset = 0
    // At most one round a definition; each must lie behind the one before.
    for _ in 0..<min(Int(section.sh_info), Int(UInt16.max)) {
      var definition = GElf_Verdef()
      var name = GElf_Verdaux()
      // libelf holds both offsets against the data's size.
      guard unsafe gelf_getverdef(data, Int32(offset), &definition) != nil else { break }
      let nameAt = offset + Int(definition.vd_aux)
      guard nameAt < Int(Int32.max),
        unsafe gelf_getverdaux(data, Int32(nameAt), &name) != nil
      else { break }
      result.append((definition.vd_ndx, UInt64(name.vda_name)))
      let next = offset + Int(definition.vd_next)
      guard next > offset, next < Int(Int32.max) else { break }
      offset = next
    }
    return result
  }

  private func rawData(
    at offset: UInt64, count: UInt64, type: Elf_Type
  ) -> UnsafeMutablePointer<Elf_Data>? {
    let (end, overflow) = offset.addingReportingOverflow(count)
    guard !overflow, end <= size, let start = Int64(exactly: offset),
      let length = Int(exactly: count)
    else { return nil }
    // The range lies within the file; libelf owns the chunk until the handle ends.
    return unsafe elf_getdata_rawchunk(elf, start, length, type)
  }

  private func elements<Element>(
    of section: GElf_Shdr, type: Elf_Type, initial: Element,
    _ read: (UnsafeMutablePointer<Elf_Data>, Int32, inout Element) -> Bool
  ) -> [Element] {
    guard section.sh_type != UInt32(SHT_NOBITS), section.sh_flags & UInt64(SHF_COMPRESSED) == 0,
      let data = unsafe rawData(at: section.sh_offset, count: section.sh_size, type: type)
    else { return [] }
    // The file's format is the machine's own (64-bit, little-endian), so sizes agree.
    let count = Int32(clamping: section.sh_size / UInt64(MemoryLayout<Element>.size))
    var result: [Element] = []
    result.reserveCapacity(Int(count))
    var element = initial
    for index in 0..<count {
      guard unsafe read(data, index, &element) else { break }
      result.append(element)
    }
    return result
  }
}
