import CElf
import Glibc

/// A loadable part of an ELF file: which bytes of the file appear at which virtual addresses.
public struct ELFSegment: Sendable, Hashable {
  /// Virtual address of the first byte, before relocation.
  public let address: UInt64
  /// Offset of the first byte in the file.
  public let fileOffset: UInt64
  /// Bytes that come from the file.
  public let fileSize: UInt64
  /// Whether it is mapped executable.
  public let isExecutable: Bool
  /// Whether it is mapped writable.
  public let isWritable: Bool

  /// A segment from a `PT_LOAD` header; nil when its ends do not fit 64 bits.
  init?(_ header: GElf_Phdr) {
    guard !header.p_vaddr.addingReportingOverflow(header.p_filesz).overflow,
      !header.p_offset.addingReportingOverflow(header.p_filesz).overflow
    else { return nil }
    address = header.p_vaddr
    fileOffset = header.p_offset
    fileSize = header.p_filesz
    isExecutable = header.p_flags & UInt32(PF_X) != 0
    isWritable = header.p_flags & UInt32(PF_W) != 0
  }

  /// The file offset of a virtual address, or nil when the address has no byte in this segment.
  public func fileOffset(of virtualAddress: UInt64) -> UInt64? {
    guard virtualAddress >= address, virtualAddress - address < fileSize else { return nil }
    return fileOffset + (virtualAddress - address)
  }

  /// The virtual address of a file offset, or nil when this segment does not map it.
  public func address(ofFileOffset offset: UInt64) -> UInt64? {
    guard offset >= fileOffset, offset - fileOffset < fileSize else { return nil }
    return address + (offset - fileOffset)
  }
}
