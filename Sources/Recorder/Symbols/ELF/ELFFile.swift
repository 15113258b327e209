import CElf
import Glibc
import SystemPackage

/// A 64-bit little-endian ELF file, opened and held against its own size.
///
/// Section headers are optional (stripped files may have none); program headers are what the kernel
/// maps by, so file offsets are computed from them alone.
public struct ELFFile: ~Copyable {
  /// The machine code the file is for (`EM_X86_64`, `EM_AARCH64`, ...).
  public let machine: UInt16
  /// The kind of file (`ET_EXEC`, `ET_DYN`, ...).
  public let type: UInt16
  /// The virtual address a program starts at; 0 for none.
  public let entryAddress: UInt64
  /// The parts that are mapped, in file order.
  public let segments: [ELFSegment]
  /// The size of the file in bytes.
  public var size: UInt64 { handle.size }

  let handle: ElfHandle
  let programHeaders: [GElf_Phdr]
  let sections: [(name: String, header: GElf_Shdr)]

  /// Opens a file. Throws for anything that is not a whole 64-bit little-endian ELF file.
  public init(path: String) throws(ELFError) {
    let descriptor: FileDescriptor
    do {
      // Not blocking, so that a pipe without a writer cannot hold us up.
      descriptor = try FileDescriptor.open(
        FilePath(path), .readOnly, options: [.closeOnExec, .nonBlocking])
    } catch let error as Errno {
      switch error {
      case .noSuchFileOrDirectory, .notDirectory: throw .missing
      default: throw .unreadable(errno: error.rawValue)
      }
    } catch { throw .unreadable(errno: EIO) }
    let size: UInt64
    do {
      size = try Self.regularSize(descriptor)
      try Self.checkIdentity(try Self.head(descriptor))
    } catch {
      try? descriptor.close()
      throw error
    }
    try self.init(ElfHandle(owning: descriptor, size: size))
  }

  /// Reads a file that is in memory.
  public init(bytes: [UInt8]) throws(ELFError) {
    try Self.checkIdentity([UInt8](bytes.prefix(Self.headSize)))
    try self.init(ElfHandle(bytes: bytes))
  }

  private init(_ handle: consuming ElfHandle) throws(ELFError) {
    let (header, programHeaders) = try Self.headers(of: handle)
    machine = header.e_machine
    type = header.e_type
    entryAddress = header.e_entry
    self.programHeaders = programHeaders
    segments = programHeaders.filter { $0.p_type == UInt32(PT_LOAD) }.compactMap(ELFSegment.init)
    sections = handle.sectionHeaders()
    self.handle = handle
  }

  /// The file offset of a virtual address, through the segment that maps it.
  public func fileOffset(of address: UInt64) -> UInt64? {
    segments.lazy.compactMap { $0.fileOffset(of: address) }.first
  }

  /// The virtual address of a file offset, through the segment that maps it.
  public func address(ofFileOffset offset: UInt64) -> UInt64? {
    segments.lazy.compactMap { $0.address(ofFileOffset: offset) }.first
  }

  /// The bytes at a file offset, fewer than asked for at the end of the file.
  public func bytes(at offset: UInt64, upTo count: Int) -> [UInt8] {
    guard offset < size else { return [] }
    return handle.bytes(at: offset, count: min(UInt64(max(count, 0)), size - offset)) ?? []
  }

  private static func headers(
    of handle: borrowing ElfHandle
  ) throws(ELFError) -> (GElf_Ehdr, [GElf_Phdr]) {
    guard let header = handle.header() else { throw .damaged("the ELF header") }
    let programHeaders = handle.programHeaders()
    guard programHeaders.count == Int(header.e_phnum) || header.e_phnum == UInt16(PN_XNUM) else {
      throw .damaged("the program headers")
    }
    return (header, programHeaders)
  }

  private static let headSize = 256

  private static func regularSize(_ descriptor: FileDescriptor) throws(ELFError) -> UInt64 {
    var status = stat()
    // `status` is a whole structure of the type the call fills.
    guard unsafe fstat(descriptor.rawValue, &status) == 0 else { throw .unreadable(errno: errno) }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return UInt64(clamping: status.st_size)
    case S_IFDIR: throw .directory
    default: throw .notRegular
    }
  }

  private static func head(_ descriptor: FileDescriptor) throws(ELFError) -> [UInt8] {
    do {
      return try unsafe [UInt8](unsafeUninitializedCapacity: headSize) { buffer, count in
        // The system writes at most the buffer's own length.
        count = try unsafe descriptor.read(
          fromAbsoluteOffset: 0, into: UnsafeMutableRawBufferPointer(buffer))
      }
    } catch {
      throw .unreadable(errno: (error as? Errno)?.rawValue ?? EIO)
    }
  }

  /// Looks at the first bytes, before libelf is asked anything.
  private static func checkIdentity(_ head: [UInt8]) throws(ELFError) {
    if head.starts(with: Array("#!".utf8)) {
      let line = head.dropFirst(2).prefix { $0 != 0x0a && $0 != 0 }
      let words = line.split(maxSplits: 1) { $0 == 0x20 || $0 == 0x09 }
        .map { String(decoding: $0, as: UTF8.self) }
      throw .script(interpreter: words.first ?? "", argument: words.dropFirst().first)
    }
    guard head.starts(with: [0x7f, 0x45, 0x4c, 0x46]) else { throw .notELF }
    guard head.count >= 64 else { throw .damaged("the ELF header") }
    if head[Int(EI_DATA)] == UInt8(ELFDATA2MSB) { throw .bigEndian }
    guard head[Int(EI_DATA)] == UInt8(ELFDATA2LSB) else { throw .damaged("the byte order") }
    if head[Int(EI_CLASS)] == UInt8(ELFCLASS32) {
      throw .is32Bit(machine: UInt16(head[18]) | UInt16(head[19]) << 8)
    }
    guard head[Int(EI_CLASS)] == UInt8(ELFCLASS64) else { throw .damaged("the ELF class") }
  }
}
