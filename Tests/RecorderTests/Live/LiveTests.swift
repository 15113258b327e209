import ProbeEvents
import Testing

@testable import Recorder

/// All tests that record on the live kernel, one after the other: they look at what is left behind
/// on the host.
@Suite(.serialized, .enabled(if: LiveHost.canRecord, "this host cannot record (reason above)"))
struct LiveTests {
  /// Dynamic events of recorders that this host has now.
  static func dynamicEvents() throws -> [String] {
    try Tracefs.reach().text(of: "dynamic_events").split(separator: "\n").map(String.init)
      .filter { $0.contains(DynamicEvents.groupPrefix) }
  }

  /// Fails when a thread's entries and returns do not nest.
  static func expectNesting(
    _ hits: [Hit], sourceLocation: SourceLocation = #_sourceLocation
  ) {
    var stacks: [ThreadIdentity: [Address]] = [:]
    for hit in hits {
      switch hit.kind {
      case .entry: stacks[hit.thread, default: []].append(hit.function)
      case .return:
        #expect(
          stacks[hit.thread, default: []].popLast() == hit.function,
          sourceLocation: sourceLocation)
      }
    }
    let open = stacks.values.filter { !$0.isEmpty }
    #expect(open.isEmpty, sourceLocation: sourceLocation)
  }
}
