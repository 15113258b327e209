import Glibc
import ProbeEvents
import TapeFormat
import Testing

@testable import Recorder

extension LiveTests {
  @Suite("a launched command")
  struct Launch {
    @Test("one call of one probed function gives its entry and its return, as the kernel saw them")
    func oneCall() throws {
      let program = try Program(
        """
        __attribute__((noipa)) int twice(int x) { return x * 2; }
        int main(int argc, char **argv) { return twice(argc + 20); }
        """)
      let (summary, sink) = try LiveHost.record([program.probe("twice")], [program.path])
      #expect(summary.targetExit == .exited(42))
      #expect(summary.lost == 0)
      #expect(summary.hits == 2)
      let hits = sink.hits
      try #require(hits.map(\.hit.kind) == [.entry, .return])
      let (entry, back) = (hits[0].hit, hits[1].hit)
      let layout = sink.header.kernel.architecture.registerLayout
      #expect(entry.function == back.function)
      #expect(entry.time < back.time)
      #expect(entry.registers[layout.instructionPointer] == entry.function)
      #expect(hits[0].window.count == 8)
      #expect(entry.flags.isEmpty && back.flags.isEmpty)
      if sink.header.kernel.architecture == .x86_64 {
        // The first argument, the return value, and the return address on the stack.
        #expect(entry.registers[5] == 21)
        #expect(back.registers[0] == 42)
        #expect(hits[0].window[0] == back.registers[layout.instructionPointer])
        #expect(
          back.registers[layout.stackPointer] == entry.registers[layout.stackPointer] + 8)
      }
      let mapping = sink.events.compactMap { event in
        if case .mapping(let mapping) = event, mapping.path == program.path { mapping } else { nil }
      }.first
      let text = try #require(mapping)
      #expect(entry.function - text.start + text.fileOffset == sink.header.probes[0].fileOffset)
      #expect(text.buildID.count == 20)
      #expect(try LiveTests.dynamicEvents() == [])
    }

    @Test("the trampoline's mapping comes between the first entry and the first return")
    func trampolineMapping() throws {
      let program = try Program(
        """
        __attribute__((noipa)) void f(void) {}
        int main(void) { f(); f(); return 0; }
        """)
      let (_, sink) = try LiveHost.record([program.probe("f")], [program.path])
      let order = sink.items.compactMap { item -> String? in
        switch item {
        case .hit(let hit, _): return hit.kind == .entry ? "E" : "R"
        case .event(let event):
          guard case .mapping(let mapping) = event.event else { return nil }
          return mapping.path == Mapping.uprobesName ? "M" : nil
        }
      }
      #expect(order == ["E", "M", "R", "E", "R"])
    }

    @Test("four threads: each thread's hits are complete and in its own order")
    func threads() throws {
      let program = try Program(
        """
        #include <pthread.h>
        __attribute__((noipa)) long inner(long x) { return x; }
        __attribute__((noipa)) long outer(long x) { return inner(x) + 1; }
        static void *body(void *unused) {
          for (long i = 0; i < 500; i++) outer(i);
          return unused;
        }
        int main(void) {
          pthread_t threads[4];
          for (int i = 0; i < 4; i++) pthread_create(&threads[i], 0, body, 0);
          for (int i = 0; i < 4; i++) pthread_join(threads[i], 0);
          return 0;
        }
        """)
      let (summary, sink) = try LiveHost.record(
        [program.probe("outer"), program.probe("inner")], [program.path])
      #expect(summary.entries == 4000)
      #expect(summary.returns == 4000)
      #expect(summary.lost == 0)
      let hits = sink.hits.map(\.hit)
      LiveTests.expectNesting(hits)
      for (_, list) in Dictionary(grouping: hits, by: \.thread) {
        let arguments = list.filter { $0.kind == .entry && $0.probe == 0 }.map { $0.registers[5] }
        #expect(arguments == (0..<500).map { UInt64($0) })
      }
      let forks = sink.events.compactMap { event in
        if case .fork(let fork) = event { fork } else { nil }
      }
      #expect(forks.count == 4)
      #expect(forks.allSatisfy { ($0.cloneFlags ?? 0) & 0x10000 != 0 }, "CLONE_THREAD")
      #expect(
        sink.events.filter { if case .exit = $0 { true } else { false } }.count == 5)
    }

    @Test("fork, vfork and exec: children give their hits, and their creation says how")
    func children() throws {
      let program = try Program(
        """
        #include <stdlib.h>
        #include <sys/wait.h>
        #include <unistd.h>
        __attribute__((noipa)) int f(int x) { return x; }
        int main(int argc, char **argv) {
          if (argc > 1) return f(3);
          if (fork() == 0) { f(1); _exit(0); }
          wait(0);
          if (vfork() == 0) { f(2); _exit(0); }
          wait(0);
          if (fork() == 0) { execl(argv[0], argv[0], "again", (char *)0); _exit(9); }
          int status;
          wait(&status);
          return WEXITSTATUS(status);
        }
        """)
      let (summary, sink) = try LiveHost.record([program.probe("f")], [program.path])
      #expect(summary.targetExit == .exited(3))
      let hits = sink.hits.map(\.hit)
      #expect(hits.filter { $0.kind == .entry }.map { $0.registers[5] } == [1, 2, 3])
      LiveTests.expectNesting(hits)
      let flags = sink.events.compactMap { event in
        if case .fork(let fork) = event { fork.cloneFlags } else { nil }
      }
      let both = TaskFork.cloneVM | TaskFork.cloneVfork
      #expect(flags.map { $0 & both } == [0, both, 0])
      #expect(
        sink.events.filter { if case .exec = $0 { true } else { false } }.count == 2)
    }

    @Test("signals are placed with number, code, handler and where the thread was")
    func signals() throws {
      let program = try Program(
        """
        #include <signal.h>
        #include <unistd.h>
        __attribute__((noipa)) void f(void) {}
        static void handler(int number) { f(); }
        int main(void) {
          signal(SIGUSR1, handler);
          kill(getpid(), SIGUSR1);
          kill(getpid(), SIGKILL);
          return 0;
        }
        """)
      let (summary, sink) = try LiveHost.record([program.probe("f")], [program.path])
      #expect(summary.targetExit == .killed(SIGKILL))
      #expect(summary.hits == 2)
      let signals = sink.events.compactMap { event in
        if case .signal(let signal) = event { signal } else { nil }
      }
      let handled = try #require(signals.first)
      #expect(handled.number == SIGUSR1)
      #expect(handled.code == 0)
      #expect(handled.isHandled)
      #expect(handled.instructionPointer != 0 && handled.stackPointer != 0)
      #expect(signals.dropFirst().allSatisfy { $0.number == SIGKILL && !$0.isHandled })
    }

    @Test("a function of a library that is only loaded later is probed as well")
    func laterLibrary() throws {
      let library = try Program(
        "int answer(void) { return 42; }", options: ["-shared", "-fPIC"], name: "library.so")
      let program = try Program(
        """
        #include <dlfcn.h>
        int main(int argc, char **argv) {
          void *library = dlopen(argv[1], RTLD_NOW);
          int (*answer)(void) = (int (*)(void))dlsym(library, "answer");
          return answer();
        }
        """, options: ["-ldl"])
      let (summary, _) = try LiveHost.record(
        [library.probe("answer")], [program.path, library.path])
      #expect(summary.targetExit == .exited(42))
      #expect(summary.hits == 2)
    }

    @Test("a path with spaces, a colon and a number sign is probed like any other")
    func strangePath() throws {
      let program = try Program(
        "__attribute__((noipa)) void f(void) {} int main(void) { f(); return 0; }",
        name: "a b:c #d")
      let (summary, _) = try LiveHost.record([program.probe("f")], [program.path])
      #expect(summary.hits == 2)
      #expect(try LiveTests.dynamicEvents() == [])
    }

    /// Whether 32-bit programs can be built and run here.
    private static let compatProgram: Program? = {
      let program = try? Program(
        """
        __attribute__((noipa)) int f(int x) { return x + 1; }
        void _start(void) {
          int r = f(41);
          __asm__ volatile("int $0x80" : : "a"(1), "b"(r));
        }
        """, options: ["-m32", "-nostdlib", "-static", "-fno-pic", "-no-pie"])
      guard let program, (try? Program.run(["sh", "-c", "\(program.path); test $? = 42"])) != nil
      else { return nil }
      return program
    }()

    @Test(
      "hits of a 32-bit program are marked as such",
      .enabled(if: compatProgram != nil, "32-bit programs cannot be built or run here"))
    func compat() throws {
      let program = try #require(Self.compatProgram)
      let (summary, sink) = try LiveHost.record([program.probe("f")], [program.path])
      #expect(summary.targetExit == .exited(42))
      let hits = sink.hits
      try #require(hits.map(\.hit.kind) == [.entry, .return])
      #expect(hits.allSatisfy { $0.hit.flags == .compat })
      // The return address is the low half of the first word, the argument the high half.
      #expect(UInt32(truncatingIfNeeded: hits[0].window[0]) == UInt32(hits[1].hit.registers[8]))
      #expect(hits[0].window[0] >> 32 == 41)
      #expect(hits[1].hit.registers[7] == hits[0].hit.registers[7] + 4)
    }

    @Test(
      "windows have the length asked for, up to the largest the kernel gives",
      arguments: [
        8, 4096, 65_528,
      ] as [UInt32])
    func windows(bytes: UInt32) throws {
      let program = try Program(
        """
        #include <string.h>
        __attribute__((noipa)) void f(char *p) {}
        int main(void) { char big[100000]; memset(big, 7, sizeof big); f(big); return 0; }
        """)
      let (_, sink) = try LiveHost.record(
        [program.probe("f")], [program.path], stackBytes: bytes)
      try #require(sink.hits.count == 2)
      // A record is at most 65,535 bytes long: the largest windows are cut to what is left.
      let expected = min(Int(bytes) / 8, (65_535 - 500) / 8)
      #expect(sink.hits.allSatisfy { $0.window.count >= expected && $0.window.count <= bytes / 8 })
      if bytes > 1000 { #expect(sink.hits[0].window[200] == 0x0707_0707_0707_0707) }
    }
  }
}
