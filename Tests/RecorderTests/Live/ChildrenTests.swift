import Foundation
import ProbeEvents
import TapeFormat
import Testing

@testable import Recorder

extension LiveTests {
  /// Kernels take breakpoints away from children of a recorded command, unless something is done.
  @Suite("children that make threads and children")
  struct Children {
    /// Three threads at a time, eight times, each calling once; with an argument it does the same
    /// in a forked child as well, and waits that many seconds at the end.
    private static let source = """
      #include <pthread.h>
      #include <stdlib.h>
      #include <sys/wait.h>
      #include <unistd.h>
      __attribute__((noipa)) long f(long x) { return x; }
      static void *body(void *unused) { f(1); return unused; }
      static void work(void) {
        for (int round = 0; round < 8; round++) {
          pthread_t threads[3];
          for (int i = 0; i < 3; i++) pthread_create(&threads[i], 0, body, 0);
          for (int i = 0; i < 3; i++) pthread_join(threads[i], 0);
        }
      }
      int main(int argc, char **argv) {
        if (argc > 1 && fork() == 0) { work(); _exit(0); }
        work();
        if (argc > 1) wait(0);
        if (argc > 2) sleep(atoi(argv[2]));
        return 0;
      }
      """
    private static let hitsOfOne: UInt64 = 48

    /// Records a shell that runs the program as a child, some times; gives each summary.
    private func record(
      _ script: String, of program: Program, times: Int,
      change: (inout RecordingPlan) -> Void = { _ in }
    ) throws -> [RecordingSummary] {
      let command = script.replacing("PROGRAM", with: program.path)
      var plan = RecordingPlan(
        probes: [try program.probe("f")], target: .launch(["sh", "-c", command]))
      change(&plan)
      return try (0..<times).map { _ in try LiveHost.record(plan).summary }
    }

    @Test("a shell's child with threads gives every hit, each time")
    func threads() throws {
      let program = try Program(Self.source)
      for summary in try record("PROGRAM; true", of: program, times: 10) {
        #expect(summary.hits == Self.hitsOfOne && summary.lost == 0)
        #expect(summary.warnings.isEmpty)
      }
    }

    @Test("children of children with threads, side by side, give every hit")
    func nested() throws {
      let program = try Program(Self.source)
      let script = "sh -c 'PROGRAM x & PROGRAM x; wait'; PROGRAM; true"
      for summary in try record(script, of: program, times: 5) {
        #expect(summary.hits == 5 * Self.hitsOfOne && summary.lost == 0)
      }
    }

    @Test("on a kernel of before 6.12 a program that nobody else runs gives every hit, too")
    func oldKernelPrivateFile() throws {
      let program = try Program(Self.source)
      let summaries = try record("PROGRAM; true", of: program, times: 10) {
        $0.mayKeepContexts = false
      }
      for summary in summaries {
        #expect(summary.hits == Self.hitsOfOne && summary.lost == 0)
      }
    }

    /// The program running for some seconds, so that it is mapped by somebody else than the target.
    private func elsewhere(_ program: Program) throws -> Process {
      let process = Process()
      process.executableURL = URL(fileURLWithPath: program.path)
      process.arguments = ["x", "60"]
      try process.run()
      // The exec is over once the program shows up where it is looked for.
      for _ in 0..<200
      where FileUsers.shared([program.path], outside: []).isEmpty { usleep(10_000) }
      return process
    }

    @Test(
      "there, a program that runs elsewhere, too, gives every hit or says that some are missing")
    func oldKernelSharedFile() throws {
      let program = try Program(Self.source)
      let other = try elsewhere(program)
      defer { other.terminate() }
      let summaries = try record("PROGRAM; true", of: program, times: 10) {
        $0.mayKeepContexts = false
      }
      for summary in summaries {
        #expect((summary.hits == Self.hitsOfOne) == (summary.lost == 0))
        #expect(summary.hits + summary.lost <= Self.hitsOfOne)
        #expect(summary.warnings.isEmpty == (summary.lost == 0))
      }
    }

    @Test("there, breakpoints of the whole host make a program that runs elsewhere give every hit")
    func hostBreakpoints() throws {
      let program = try Program(Self.source)
      let other = try elsewhere(program)
      defer { other.terminate() }
      let summaries = try record("PROGRAM; true", of: program, times: 5) {
        $0.mayKeepContexts = false
        $0.hostBreakpoints = true
      }
      for summary in summaries {
        #expect(summary.hits == Self.hitsOfOne && summary.lost == 0)
      }
      #expect(try LiveTests.dynamicEvents() == [])
    }
  }
}
