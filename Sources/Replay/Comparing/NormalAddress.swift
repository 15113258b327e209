import ProbeEvents

/// An address without what differs from run to run.
enum NormalAddress: Hashable, Sendable {
  /// In the page of the return trampoline.
  case trampoline(offset: UInt64)
  /// In a mapped file, by its number in the ``ComparedNames``; the offset is the file's.
  case mapped(file: Int, offset: UInt64)
  /// In one of the thread's stacks, in order of appearance, from the first stack pointer seen there.
  case stack(number: Int, offset: Int64)
  /// Anything else: a number, or an address whose place says nothing.
  case other
}
