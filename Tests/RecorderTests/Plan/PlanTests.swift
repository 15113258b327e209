import Glibc
import ProbeEvents
import TapeFormat
import Testing

@testable import Recorder

@Suite("plans that cannot be recorded")
struct PlanTests {
  private let probe = Probe(path: "/proc/self/exe", fileOffset: 0x1000, wantsReturn: true)

  private func error(
    _ probes: [Probe], _ target: RecordingPlan.Target, stackBytes: UInt32 = 64,
    ringPages: Int? = nil
  ) -> RecorderError? {
    do throws(RecorderError) {
      _ = try Recorder(
        plan: RecordingPlan(
          probes: probes, target: target, stackBytes: stackBytes, ringPages: ringPages))
      return nil
    } catch {
      return error
    }
  }

  @Test("each says what is wrong")
  func refusals() {
    let target = RecordingPlan.Target.launch(["true"])
    #expect(error([], target) == .noProbes)
    #expect(error([probe], .launch([])) == .noTarget)
    #expect(error([probe], .launch([""])) == .noTarget)
    #expect(error([probe], .attach([])) == .noTarget)
    #expect(error([probe], .attach([Int32.max])) == .noSuchProcess(Int32.max))
    #expect(error([probe], .attach([-1])) == .noSuchProcess(-1))
    #expect(error([probe], target, stackBytes: 0) == .stackBytes(0))
    #expect(error([probe], target, stackBytes: 63) == .stackBytes(63))
    #expect(error([probe], target, stackBytes: 65_536) == .stackBytes(65_536))
    #expect(error([probe], target, ringPages: 0) == .ringPages(0))
    #expect(error([probe], target, ringPages: 3) == .ringPages(3))
    #expect(
      error([probe, probe], target)
        == .duplicateProbe(path: probe.path, fileOffset: probe.fileOffset))
    var odd = probe
    odd.referenceCounter = 0x2001
    #expect(
      error([odd], target)
        == .misalignedReferenceCounter(path: probe.path, counter: 0x2001))
    var missing = probe
    missing.path = "/no/such/file"
    #expect(error([missing], target) == .probedFile(path: "/no/such/file", errno: ENOENT))
  }

  @Test("only a command that cannot be started has a shell's status")
  func shellStatus() {
    #expect(RecorderError.launch(command: "x", errno: ENOENT).shellStatus == 127)
    #expect(RecorderError.launch(command: "x", errno: EACCES).shellStatus == 126)
    #expect(RecorderError.noProbes.shellStatus == nil)
  }

  @Test("every error says what to do or what is wrong, with the system's words")
  func descriptions() {
    #expect("\(RecorderError.launch(command: "x", errno: ENOENT))".contains("No such file"))
    #expect("\(RecorderError.noUprobeEvents)".contains("CONFIG_UPROBE_EVENTS"))
    #expect("\(RecorderError.tracefsUnavailable(errno: ENODEV))".contains("mount -t tracefs"))
    #expect("\(RecorderError.rings(errno: EPERM))".contains("ulimit -l"))
    #expect("\(RecorderError.tooManyEvents(needed: 9))".contains("ulimit -n"))
    // What the kernel answers for an instruction it cannot probe is not in the C library's table.
    #expect(
      "\(RecorderError.probeRefused(path: "/a", fileOffset: 16, errno: 524))"
        .contains("/a:0x10 (Not supported by the kernel)"))
  }
}
