/// A file that probes are placed in, as far as the kernel looks at it.
public struct ProbedFile: Sendable {
  /// How the kernel can read pages of the file.
  public enum Reader: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// Through the page cache.
    case pageCache
    /// As shared memory.
    case sharedMemory
    /// Not at all.
    case none
  }

  /// Its number.
  public var inode: UInt64
  /// Its size in bytes.
  public var sizeBytes: UInt64
  /// How it can be read.
  public var reader: Reader
  /// The instructions at the offsets that matter. Other offsets hold none.
  public var instructions: [UInt64: ProbedInstruction]

  /// A file.
  public init(
    inode: UInt64, sizeBytes: UInt64, reader: Reader = .pageCache,
    instructions: [UInt64: ProbedInstruction] = [:]
  ) {
    self.inode = inode
    self.sizeBytes = sizeBytes
    self.reader = reader
    self.instructions = instructions
  }
}
