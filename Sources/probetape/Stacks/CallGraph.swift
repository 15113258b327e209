import ArgumentParser
import Recorder

/// How user stacks are taken while recording: `fp`, `dwarf` or `dwarf,BYTES`.
struct CallGraph: Equatable, ExpressibleByArgument {
  /// As perf's `dwarf` has it. perf's `-g` is `fp`; ours is not, since most programs and libraries
  /// are compiled without frame pointers.
  static let usual = CallGraph(stackBytes: 8192)
  /// The kernel's callchains.
  static let framePointers = CallGraph(stackBytes: nil)

  /// Bytes of stack to unwind from; nil for the kernel's callchains.
  var stackBytes: UInt32?

  private init(stackBytes: UInt32?) {
    self.stackBytes = stackBytes
  }

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
    if argument == "fp" {
      self = .framePointers
      return
    }
    guard parts.first == "dwarf", parts.count <= 2 else { return nil }
    guard parts.count == 2 else {
      self = .usual
      return
    }
    guard let bytes = UInt32(parts[1]), RecordingPlan.stackBytesRange.contains(bytes),
      bytes % 8 == 0
    else { return nil }
    stackBytes = bytes
  }
}
