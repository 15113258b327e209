import Foundation
import Glibc
import ProbeEvents
import SystemPackage
import TapeFormat
import Testing

@testable import Recorder

extension LiveTests {
  @Suite("how recordings end")
  struct Ending {
    private static let endless = """
      #include <signal.h>
      #include <unistd.h>
      static void stop(int number) { _exit(40 + number); }
      __attribute__((noipa)) void f(void) {}
      int main(int argc, char **argv) {
        signal(SIGTERM, argc > 1 ? SIG_IGN : stop);
        for (;;) {
          f();
          usleep(1000);
        }
      }
      """

    @Test("a signal to the recorder is passed on to the command, whose end ends the recording")
    func passedOn() throws {
      let program = try Program(Self.endless)
      let plan = RecordingPlan(
        probes: [try program.probe("f")], target: .launch([program.path]))
      let (summary, sink) = try LiveHost.record(plan) {
        DispatchQueue.global().asyncAfter(deadline: .now() + 0.3) { kill(getpid(), SIGTERM) }
      }
      #expect(summary.targetExit == .exited(40 + SIGTERM))
      #expect(summary.entries > 10)
      #expect(sink.trailer?.targetExit == .exited(40 + SIGTERM))
      #expect(try LiveTests.dynamicEvents() == [])
    }

    @Test("a second signal ends the recording of a command that does not end")
    func secondSignal() throws {
      let program = try Program(Self.endless)
      let plan = RecordingPlan(
        probes: [try program.probe("f")], target: .launch([program.path, "stubborn"]))
      let (summary, sink) = try LiveHost.record(plan) {
        for delay in [0.3, 0.5] {
          DispatchQueue.global().asyncAfter(deadline: .now() + delay) { kill(getpid(), SIGTERM) }
        }
      }
      #expect(summary.targetExit == .running)
      let thread = try #require(sink.hits.first?.hit.thread)
      try end(thread.process)
    }

    /// Ends a process that a recording left running.
    private func end(_ process: Int32) throws {
      #expect(kill(process, SIGKILL) == 0)
      // Somebody has to reap it, or it would be a zombie for as long as this process lives.
      for _ in 0..<200 where ProcessStat.startTime(of: process) != nil { usleep(10_000) }
      #expect(ProcessStat.startTime(of: process) == nil)
    }

    /// Twenty children that call all the time, until the first process ends, which it does even when
    /// nobody ends it.
    private static let family = """
      #include <signal.h>
      #include <sys/prctl.h>
      #include <unistd.h>
      __attribute__((noipa)) long inner(long x) { return x; }
      __attribute__((noipa)) long outer(long x) { return inner(x) + 1; }
      int main(void) {
        signal(SIGTERM, SIG_IGN);
        alarm(30);
        for (int child = 0; child < 20; child++) {
          if (fork() != 0) continue;
          prctl(PR_SET_PDEATHSIG, SIGKILL);
          for (;;) {
            outer(child);
            usleep(500);
          }
        }
        for (;;) pause();
      }
      """

    @Test("where a recording ends amid calls, no return is without its entry")
    func amidCalls() throws {
      let program = try Program(Self.family)
      let plan = RecordingPlan(
        probes: [try program.probe("outer"), try program.probe("inner")],
        target: .launch([program.path]))
      let (summary, sink) = try LiveHost.record(plan) {
        for delay in [0.3, 0.5] {
          DispatchQueue.global().asyncAfter(deadline: .now() + delay) { kill(getpid(), SIGTERM) }
        }
      }
      let parent = try #require(
        sink.events.lazy.compactMap { event in
          if case .fork(let fork) = event { fork.parent.process } else { nil }
        }.first)
      try end(parent)
      #expect(summary.targetExit == .running && summary.lost == 0)
      let threads = Dictionary(grouping: sink.hits.map(\.hit), by: \.thread)
      #expect(threads.count == 20)
      for (thread, hits) in threads {
        var open: [UInt32] = []
        for hit in hits {
          switch hit.kind {
          case .entry: open.append(hit.probe)
          case .return: #expect(open.popLast() == hit.probe, "in process \(thread.process)")
          }
        }
      }
    }

    /// Fails after so many hits, as a full disk does.
    private final class FullSink: RecordingSink {
      private var room = 20

      func receive(
        _ hit: BareHit, registers: Span<UInt64>, window: Span<UInt64>, callchain: Span<UInt64>
      ) throws(TapeError) {
        room -= 1
        if room == 0 { throw .system(operation: "write", path: "tape", errno: ENOSPC) }
      }
      func receive(_ event: TimedSideEvent) throws(TapeError) {}
      func flush() throws(TapeError) {}
      func finish(_ trailer: TapeTrailer) throws(TapeError) {}
    }

    @Test("a sink that cannot take more ends the recording with its error, and all is cleaned up")
    func fullSink() throws {
      let program = try Program(
        """
        #include <unistd.h>
        __attribute__((noipa)) void f(void) {}
        int main(void) { for (int i = 0; i < 300; i++) { f(); usleep(1000); } return 0; }
        """)
      let recorder = try Recorder(
        plan: RecordingPlan(
          probes: [try program.probe("f")], target: .launch([program.path])))
      let error = #expect(throws: RecorderError.self) {
        try recorder.run(makeSink: { _ in FullSink() })
      }
      #expect(error == .tape(.system(operation: "write", path: "tape", errno: ENOSPC)))
      #expect(try LiveTests.dynamicEvents() == [])
    }

    @Test("a closed pipe is an error of the tape, not the recorder's death")
    func closedPipe() throws {
      let program = try Program(
        """
        __attribute__((noipa)) void f(void) {}
        int main(void) { for (int i = 0; i < 2000; i++) f(); return 0; }
        """)
      let recorder = try Recorder(
        plan: RecordingPlan(
          probes: [try program.probe("f")], target: .launch([program.path])))
      let error = #expect(throws: RecorderError.self) {
        try recorder.run(makeSink: { header in
          let ends = try FileDescriptor.pipe()
          try ends.readEnd.close()
          return try TapeRecordingSink(
            header: header, output: FileTapeOutput(descriptor: ends.writeEnd))
        })
      }
      guard case .tape(.system(_, _, EPIPE)) = error else {
        Issue.record("\(String(describing: error))")
        return
      }
    }

    @Test("a recording goes onto a tape that reads back complete")
    func tape() throws {
      let program = try Program(
        """
        __attribute__((noipa)) void f(void) {}
        int main(void) { for (int i = 0; i < 2000; i++) f(); return 3; }
        """)
      let output = MemoryTapeOutput()
      let recorder = try Recorder(
        plan: RecordingPlan(
          probes: [try program.probe("f")], target: .launch([program.path])))
      let summary = try recorder.run(makeSink: { header in
        try TapeRecordingSink(header: header, output: output)
      })
      #expect(summary.hits == 4000)
      var reader = try TapeReader(bytes: output.bytes)
      #expect(reader.header.command == [program.path])
      var columns = HitColumns()
      var hits = 0
      reading: while true {
        switch try reader.next(into: &columns, selecting: .all) {
        case .block: hits += columns.count
        case .trailer(let trailer): #expect(trailer.targetExit == .exited(3))
        case .damage(let damage): Issue.record("\(damage)")
        case .end: break reading
        }
      }
      #expect(hits == 4000)
      #expect(reader.isComplete)
    }

    @Test("what a killed recorder leaves behind is removed by the next one")
    func killedRecorder() async throws {
      await #expect(processExitsWith: .signal(SIGKILL)) {
        let program = try Program(
          "__attribute__((noipa)) void f(void) {} int main(void) { f(); return 0; }")
        let recorder = try Recorder(
          plan: RecordingPlan(
            probes: [try program.probe("f")], target: .launch([program.path])))
        _ = try recorder.run(makeSink: { _ in
          // Once it is dead, any recorder of another test may come first and remove them.
          if try LiveTests.dynamicEvents().count >= 2 { kill(getpid(), SIGKILL) }
          throw RecorderError.noTarget
        })
      }
      let program = try Program(
        "__attribute__((noipa)) void f(void) {} int main(void) { f(); return 0; }")
      let (summary, _) = try LiveHost.record([program.probe("f")], [program.path])
      #expect(summary.hits == 2)
      #expect(try LiveTests.dynamicEvents() == [])
    }
  }
}
