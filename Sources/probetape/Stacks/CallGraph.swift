import ArgumentParser
import Recorder

/// How user stacks are taken while recording: `dwarf` or `dwarf,BYTES`.
struct CallGraph: Equatable, ExpressibleByArgument {
  /// As perf has it.
  static let usual = CallGraph(stackBytes: 8192)

  /// Bytes of stack to unwind from.
  var stackBytes: UInt32

  init(stackBytes: UInt32) {
    self.stackBytes = stackBytes
  }

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
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
