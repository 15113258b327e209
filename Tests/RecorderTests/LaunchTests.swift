import Foundation
import ProbeEvents
import Recorder
import Testing

/// All live tests share this suite, so that they run one after the other.
@Suite(.serialized, .enabled(if: LiveHost.canRecord, "this host cannot record (reason above)"))
struct LiveTests {
  @Test("one call of one probed function gives its entry and its return")
  func oneCall() throws {
    let program = try Program(
      """
      __attribute__((noipa)) int twice(int x) { return x * 2; }
      int main(int argc, char **argv) { return twice(argc + 20); }
      """)
    let (summary, sink) = try LiveHost.record([program.probe("twice")], [program.path])
    #expect(summary.targetExit == .exited(42))
    #expect(summary.lost == 0)
    let hits = sink.hits
    for e in sink.items { print(e) }
    try #require(hits.map(\.hit.kind) == [.entry, .return])
    #expect(hits[0].hit.function == hits[1].hit.function)
    #expect(hits[0].hit.time < hits[1].hit.time)
  }
}
