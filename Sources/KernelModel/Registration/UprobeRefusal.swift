/// Why the kernel refused something about a uprobe. Each reason has the kernel's number.
public enum UprobeRefusal: Error, Sendable, Hashable {
  /// The consumer has neither an entry handler nor a return handler.
  case noHandler
  /// The file's pages cannot be read the way the kernel reads instructions.
  case unreadableFile
  /// The offset is past the end of the file. The end itself passes.
  case offsetPastEnd
  /// The offset is not aligned to the breakpoint instruction.
  case misalignedOffset
  /// The reference counter's offset is not even.
  case misalignedReferenceCounter
  /// The probe exists with another reference counter.
  case conflictingReferenceCounter
  /// An allocation failed.
  case outOfMemory
  /// There is no such probe, or no such consumer on it.
  case noSuchConsumer
  /// Nothing could be read at the offset: it is the end of the file.
  case nothingToCopy
  /// The instruction in the file is the breakpoint instruction already.
  case breakpointInFile
  /// The bytes are no instruction.
  case undecodable
  /// The instruction is one that must not be stepped (x86-64).
  case unsupportedInstruction
  /// The instruction is one that can neither be stepped nor simulated (arm64).
  case rejectedInstruction
  /// The instruction's address in the process is not aligned (arm64).
  case misalignedInstruction
  /// The process runs in 32-bit mode (arm64). The number differs: 524 until 5.10, 95 since 5.11.
  case compatTask(errno: Int32)
  /// The page to write the breakpoint to is the shared page of zeroes.
  case zeroPage
  /// The page to write the breakpoint to cannot be had.
  case memoryGone
  /// The reference counter would become negative.
  case negativeReferenceCounter
  /// The XOL page must not be moved.
  case notMovable
  /// The probe is about to go, so it cannot be stepped.
  case dyingProbe

  /// The number a system call returns for it, positive.
  public var errno: Int32 {
    switch self {
    case .noSuchConsumer: 2  // ENOENT
    case .notMovable: 1  // EPERM
    case .unreadableFile, .nothingToCopy: 5  // EIO
    case .undecodable: 8  // ENOEXEC
    case .outOfMemory: 12  // ENOMEM
    case .memoryGone: 14  // EFAULT
    case .noHandler, .offsetPastEnd, .misalignedOffset, .misalignedReferenceCounter,
      .conflictingReferenceCounter, .rejectedInstruction, .misalignedInstruction, .zeroPage,
      .negativeReferenceCounter, .dyingProbe:
      22  // EINVAL
    // ENOTSUPP is the kernel's own and has no name in user space.
    case .breakpointInFile, .unsupportedInstruction: 524
    case .compatTask(let errno): errno
    }
  }
}
