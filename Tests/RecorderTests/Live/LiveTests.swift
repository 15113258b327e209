import Glibc
import ProbeEvents
import Testing

@testable import Recorder

/// All tests that record on the live kernel, one after the other: they look at what is left behind
/// on the host.
@Suite(.serialized, .enabled(if: LiveHost.canRecord, "this host cannot record (reason above)"))
struct LiveTests {
  /// Dynamic events that this process or a dead recorder has left on the host. Those of other
  /// recorders that run meanwhile are none of our business.
  static func dynamicEvents() throws -> [String] {
    try Tracefs.reach().text(of: "dynamic_events").split(separator: "\n").compactMap { line in
      guard let name = DynamicEvents.eventName(line), let owner = DynamicEvents.owner(of: name),
        owner.process == getpid() || ProcessStat.startTime(of: owner.process) != owner.start
      else { return nil }
      return String(line)
    }
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
