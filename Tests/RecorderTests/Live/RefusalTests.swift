import Glibc
import ProbeEvents
import Testing

@testable import Recorder

extension LiveTests {
  @Suite("hosts and probes that refuse")
  struct Refusals {
    @Test("without privilege the plan is refused with what to do")
    func unprivileged() async throws {
      // Statuses tell what went otherwise: issues of a child without privilege do not reach us.
      await #expect(processExitsWith: .exitCode(0)) {
        guard setgid(65_534) == 0, setuid(65_534) == 0 else { exit(2) }
        let probe = Probe(path: "/bin/sh", fileOffset: 0x1000, wantsReturn: true)
        do throws(RecorderError) {
          _ = try Recorder(plan: RecordingPlan(probes: [probe], target: .launch(["true"])))
          exit(3)
        } catch .notPermitted {
          let refused = Doctor.examine().filter { $0.verdict == .no }
          guard refused.contains(where: { $0.name == "privilege" }) else { exit(4) }
          exit(refused.allSatisfy { !$0.remedy.isEmpty } ? 0 : 5)
        } catch {
          exit(6)
        }
      }
    }

    @Test("more events than there are descriptors are refused before the first is opened")
    func descriptors() throws {
      let opening = EventOpening(
        events: try PerfEventSet(
          cpus: [0],
          attributes: PerfAttributes(
            registerMask: 0, stackBytes: 8, ringBytes: 4096, waitsForExec: false),
          ringPages: 1),
        tracepoints: [], probes: [], descriptorLimit: 100)
      let error = #expect(throws: RecorderError.self) { try opening.open(Array(1...120)) }
      #expect(error == .tooManyEvents(needed: 120))
    }

    @Test("a place outside the file is refused by the kernel, and the error names it")
    func outsideFile() throws {
      let program = try Program(
        "__attribute__((noipa)) void f(void) {} int main(void) { f(); return 0; }")
      var probe = try program.probe("f")
      probe.fileOffset = 1 << 40
      let path = program.path
      let error = #expect(throws: RecorderError.self) {
        try LiveHost.record([probe], [path])
      }
      guard case .probeRefused(path, 1 << 40, _) = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(try LiveTests.dynamicEvents() == [])
    }

    @Test("two recordings in one process at a time: the second is refused, the first goes on")
    func twice() throws {
      let program = try Program(
        "__attribute__((noipa)) void f(void) {} int main(void) { f(); return 0; }")
      let probe = try program.probe("f")
      var second: RecorderError?
      let (summary, _) = try LiveHost.record(
        RecordingPlan(probes: [probe], target: .launch([program.path]))
      ) {
        do throws(RecorderError) {
          _ = try Recorder(
            plan: RecordingPlan(probes: [probe], target: .launch([program.path]))
          ).run(makeSink: { MemorySink($0) })
        } catch {
          second = error
        }
      }
      #expect(second == .alreadyRecording)
      #expect(summary.hits == 2)
    }
  }
}
