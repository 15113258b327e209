/// A file that frames of stacks lie in, or an area that the kernel names in brackets.
public struct StackFile: Sendable, Hashable {
  /// Path, or the kernel's bracketed name.
  public var path: String
  /// Build id of the mapped file; empty when unknown.
  public var buildID: [UInt8]

  /// A file.
  public init(path: String, buildID: [UInt8] = []) {
    self.path = path
    self.buildID = buildID
  }
}

/// One frame of a user stack: a place in a mapped file.
public struct StackFrame: Sendable, Hashable, BitwiseCopyable {
  /// Stands for an address that no known mapping holds.
  public static let noFile = UInt32.max

  /// The file, by place in ``StackTable/files``; ``noFile`` when the address is in none.
  public var file: UInt32
  /// Offset in the file, or the address itself where there is no file.
  public var offset: UInt64
  /// Whether the task was about to run the instruction there, as in the innermost frame and in one
  /// that a signal interrupted. Otherwise it is the address that a call returns to, and the call
  /// itself lies before it.
  public var isExact: Bool

  /// A frame.
  public init(file: UInt32, offset: UInt64, isExact: Bool) {
    self.file = file
    self.offset = offset
    self.isExact = isExact
  }

  /// Offset of a byte that belongs to the instruction in question, to look the function up by.
  public var lookupOffset: UInt64 { isExact || offset == 0 ? offset : offset - 1 }
}

/// Why a stack has no further frames.
public enum StackEnding: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
  /// The outermost frame was reached.
  case complete = 0
  /// The next frame lies beyond the bytes that were recorded of the stack.
  case windowEnd = 1
  /// There is no unwind information for the code of the last frame, or none that makes sense. A stack
  /// that the kernel made by frame pointers ends so, too: it does not say why it went no further.
  case noUnwindInformation = 2
  /// The file of the last frame was not found, or is of another build.
  case noFile = 3
  /// The next frame is the return trampoline, and no return instance says what it replaced.
  case unknownTrampoline = 4
  /// There are more frames than are kept.
  case frameLimit = 5
  /// The kernel gave no registers, or the task ran in 32-bit mode, which is not unwound.
  case notUnwound = 6
}
