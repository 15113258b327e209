import Foundation
import Glibc
import ProbeEvents
import Recorder

/// Whether this host can record, asked once.
enum LiveHost {
  /// Why it cannot; nil when it can.
  static let refusal: String? = {
    guard FileManager.default.isExecutableFile(atPath: "/usr/bin/cc") else {
      return "no C compiler"
    }
    do {
      let program = try Program(
        "__attribute__((noipa)) void f(void) {} int main(void) { f(); return 0; }")
      let summary = try record([program.probe("f")], [program.path]).summary
      return summary.entries == 1 ? nil : "a trial recording brought no hit"
    } catch {
      return "\(error)"
    }
  }()

  /// Whether it can; prints why not.
  static let canRecord: Bool = {
    if let refusal { print("live tests skipped: \(refusal)") }
    return refusal == nil
  }()

  /// Records a command into memory.
  static func record(
    _ probes: [Probe], _ command: [String], stackBytes: UInt32 = 64, ringPages: Int? = nil
  ) throws -> (summary: RecordingSummary, sink: MemorySink) {
    try record(
      RecordingPlan(
        probes: probes, target: .launch(command), stackBytes: stackBytes, ringPages: ringPages))
  }

  /// Records a plan into memory.
  static func record(
    _ plan: RecordingPlan, whenReady: () -> Void = {}
  ) throws -> (summary: RecordingSummary, sink: MemorySink) {
    var sink: MemorySink?
    var finished: RecordingSummary?
    while finished == nil {
      do {
        finished = try Recorder(plan: plan).run(
          makeSink: { header in
            let new = MemorySink(header)
            sink = new
            whenReady()
            return new
          })
      } catch RecorderError.alreadyRecording {
        // Tests of other suites record in this process, too, one after the other.
        usleep(20_000)
      }
    }
    guard let summary = finished else { throw Program.Failure(description: "no summary") }
    guard let sink else { throw Program.Failure(description: "the sink was not made") }
    return (summary, sink)
  }
}
