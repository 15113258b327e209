import CElf
import Glibc

/// What the dynamic loader reads from a file to find the libraries it needs.
struct ELFDynamic {
  /// Libraries named by `DT_NEEDED`, in order.
  var needed: [String] = []
  /// The name other files know this library by.
  var soname: String?
  /// Directories searched before `LD_LIBRARY_PATH`, also for what this file's libraries need.
  var rpath: String?
  /// Directories searched after `LD_LIBRARY_PATH`, for this file alone.
  var runpath: String?
  /// The loader the kernel starts (`PT_INTERP`); nil for a static program or a library.
  var interpreter: String?
}

extension ELFFile {
  /// The loader's view of the file; empty where it has no dynamic section.
  func dynamic() -> ELFDynamic {
    var result = ELFDynamic()
    if let header = programHeaders.first(where: { $0.p_type == UInt32(PT_INTERP) }),
      header.p_filesz <= Self.pathLimit,
      let bytes = handle.bytes(at: header.p_offset, count: header.p_filesz)
    {
      result.interpreter = StringTable(bytes).string(at: 0, limit: bytes.count)
    }
    guard let header = programHeaders.first(where: { $0.p_type == UInt32(PT_DYNAMIC) }) else {
      return result
    }
    let entries = handle.dynamicEntries(at: header.p_offset, count: header.p_filesz)
    func value(_ tag: Int32) -> UInt64? {
      entries.first { $0.tag == Int64(tag) }?.value
    }
    guard let address = value(DT_STRTAB), let size = value(DT_STRSZ),
      let offset = fileOffset(of: address), let bytes = handle.bytes(at: offset, count: size)
    else { return result }
    let strings = StringTable(bytes)
    func text(_ tag: Int32) -> String? {
      value(tag).flatMap { strings.string(at: $0, limit: Int(Self.pathLimit)) }
    }
    result.needed = entries.filter { $0.tag == Int64(DT_NEEDED) }.prefix(Self.neededLimit)
      .compactMap { strings.string(at: $0.value, limit: Int(Self.pathLimit)) }
    result.soname = text(DT_SONAME)
    result.rpath = text(DT_RPATH)
    result.runpath = text(DT_RUNPATH)
    return result
  }

  private static let pathLimit: UInt64 = 1 << 16
  private static let neededLimit = 1024
}
