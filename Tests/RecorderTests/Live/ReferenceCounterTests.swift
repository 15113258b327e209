import Dispatch
import Glibc
import KernelModel
import ProbeEvents
import TapeFormat
import Testing

@testable import Recorder

extension LiveTests {
  /// The recorder's probes with reference counters, on the running kernel and in the model.
  @Suite(
    "reference counters of recordings",
    .enabled(if: RegistrationTests.isX86, "the instructions are x86-64"))
  struct ReferenceCounterTests {
    @Test("a counter is up while its probe is recorded, and zero before and after")
    func upWhileRecorded() throws {
      let program = try Program(RegistrationTests.source)
      var twin = try ModelTwin(program)
      let running = try AskedProgram(program.path)
      let other = try AskedProgram(program.path)
      let spaces = [twin.addProcess(), twin.addProcess()]
      let counter = try Program.fileOffset(of: "counter", in: program.path)
      var probe = try program.probe("first")
      probe.referenceCounter = counter
      func counts() throws -> [Int?] { try [running, other].map { try $0.ask().last } }
      #expect(try counts() == [0, 0])
      var during: [Int?] = []
      let (summary, sink) = try LiveHost.record(
        RecordingPlan(probes: [probe], target: .attach([running.identifier]))
      ) {
        during = (try? counts()) ?? []
        DispatchQueue.global().asyncAfter(deadline: .now() + 0.1) { kill(getpid(), SIGINT) }
      }
      // Entry and return are two consumers of one probe, in the one process that is recorded.
      let registration = try twin.register(probe.fileOffset, counter: counter, only: [spaces[0]])
      let second = try twin.register(probe.fileOffset, counter: counter, only: [spaces[0]])
      #expect(during == [1, 0])
      #expect(spaces.map { twin.count(counter, $0) } == during)
      #expect(summary.lost == 0)
      #expect(sink.header.probes.map(\.referenceCounter) == [counter])
      twin.kernel.unregister(registration)
      twin.kernel.unregister(second)
      #expect(try counts() == [0, 0])
      #expect(spaces.map { twin.count(counter, $0) } == [0, 0])
    }

    @Test("a probe of another tracer with another counter is in the way, and the error says so")
    func taken() throws {
      let program = try Program(RegistrationTests.source)
      let counter = try Program.fileOffset(of: "counter", in: program.path)
      var probe = try program.probe("first", wantsReturn: false)
      let tracefs = try Tracefs.reach()
      let name = "taken\(getpid())/first"
      try tracefs.append(
        "p:\(name) \(program.path):0x\(String(probe.fileOffset, radix: 16))", to: "uprobe_events")
      defer { try? tracefs.append("-:\(name)", to: "uprobe_events") }
      probe.referenceCounter = counter
      let error = #expect(throws: RecorderError.self) {
        try LiveHost.record([probe], [program.path])
      }
      #expect(
        error == .referenceCounterTaken(path: program.path, fileOffset: probe.fileOffset))
      // The model says the same of a second probe at the place.
      var twin = try ModelTwin(program)
      _ = try twin.register(probe.fileOffset)
      #expect(twin.refusal(probe.fileOffset, referenceCounter: counter) == EINVAL)
      // Without a counter of its own it is welcome.
      probe.referenceCounter = 0
      #expect(try LiveHost.record([probe], ["true"]).summary.lost == 0)
    }

    @Test("a counter that no process can write is let pass by the kernel, and never counted")
    func notWritable() throws {
      let program = try Program(RegistrationTests.source)
      var twin = try ModelTwin(program)
      let running = try AskedProgram(program.path)
      let space = twin.addProcess()
      let first = try Program.fileOffset(of: "first", in: program.path)
      let second = try Program.fileOffset(of: "second", in: program.path) & ~1
      let before = try running.ask()
      let probe = try PerfProbe(program.path, first, referenceCounter: second)
      _ = try twin.register(first, counter: second)
      let during = try running.ask()
      #expect(during == [0xcc, before[1], before[2]])
      #expect(twin.hasBreakpoint(first, space))
      #expect(twin.count(second, space) == 0)
      withExtendedLifetime(probe) {}
    }

    @Test("a launched program finds its semaphore up from the start, and its child does, too")
    func launched() throws {
      let program = try Program(
        """
        #include "usdt.h"
        #include <sys/wait.h>
        #include <unistd.h>
        USDT_SEMAPHORE(mine, start);
        static int seen(void) {
          if (!USDT_ENABLED(mine, start)) return 0;
          USDT(mine, start, after);
          return 1;
        }
        int main(void) {
          int count = seen(), status = 0;
          if (fork() == 0) _exit(seen());
          wait(&status);
          return count * 10 + WEXITSTATUS(status);
        }
        """, options: ["-I", TracepointTests.programs])
      let probes = try ProbeResolver(command: [program.path]).resolve([
        ProbeSpecification("usdt:\(program.path):mine:start")
      ])
      let (summary, sink) = try LiveHost.record(probes, [program.path])
      #expect(summary.targetExit == .exited(11))
      #expect(sink.hits.map(\.hit.kind) == [.entry, .entry])
      #expect(Set(sink.hits.map(\.hit.thread.process)).count == 2)
    }
  }
}
