import Foundation
import ProbeEvents
import Testing

@testable import Unwinding

extension LiveStackTests {
  /// Stacks that are known by construction of the program.
  @Suite(.serialized) struct SituationTests {
    private static let head = """
      #include <signal.h>
      #include <stdlib.h>
      #define PROBED __attribute__((noipa))
      #define KEEP(value) __asm__ volatile("" : "+r"(value) : : "memory")
      """

    /// The stacks of a program's only entry hits.
    private func entries(
      _ workshop: Workshop, _ source: String, _ options: [String] = ["-O2", "-g"],
      probes: [String] = ["uretprobe:PROGRAM:p"], stackBytes: UInt32 = 65_528
    ) throws -> [LiveStacks.Stack] {
      let program = try workshop.compile(Self.head + "\n" + source, options)
      let tape = try LiveStacks.record(
        probes.map { $0.replacingOccurrences(of: "PROGRAM", with: program) }, [program],
        stackBytes: stackBytes)
      return try LiveStacks.stacks(of: tape).filter { $0.kind == .entry }
    }

    private static let nested = """
      PROBED int p(int n) { return n + 1; }
      PROBED int mid(int n) { int r = p(n); KEEP(r); return r; }
      PROBED int outer(int n) { int r = mid(n); KEEP(r); return r; }
      int main(void) { int r = outer(1); KEEP(r); return r != 2; }
      """

    @Test(arguments: [
      ["-O2"], ["-O0"], ["-O2", "-fomit-frame-pointer"], ["-O2", "-fno-omit-frame-pointer"],
      ["-O2", "-static"], ["-O2", "-no-pie"], ["-O2", "-static-pie"], ["-Os"],
    ])
    func `however it is compiled, the stack is the calls`(options: [String]) throws {
      let stack = try #require(entries(Workshop(), Self.nested, options).first)
      #expect(Array(stack.functions.prefix(4)) == ["p", "mid", "outer", "main"])
      #expect(stack.functions.last == "_start" && stack.ending == .complete)
    }

    @Test func `code without unwind tables is walked by its frame pointers`() throws {
      let options = [
        "-O2", "-fno-omit-frame-pointer", "-fno-asynchronous-unwind-tables", "-fno-unwind-tables",
      ]
      let stack = try #require(entries(Workshop(), Self.nested, options).first)
      #expect(Array(stack.functions.prefix(4)) == ["p", "mid", "outer", "main"])
    }

    @Test func `a stack goes through code without unwind tables into code with them`() throws {
      let workshop = try Workshop()
      // Between functions with tables one without, which calls back.
      let object = workshop.folder.appending(path: "without.o").path
      let source = workshop.folder.appending(path: "without.c")
      try Data(
        """
        __attribute__((noipa)) int without(int (*back)(int), int n) {
          int r = back(n);
          __asm__ volatile("" : "+r"(r));
          return r;
        }
        """.utf8
      ).write(to: source)
      try Workshop.run([
        "cc", "-O2", "-fno-omit-frame-pointer", "-fno-asynchronous-unwind-tables",
        "-fno-unwind-tables", "-fcf-protection=none", "-c", "-o", object, source.path,
      ])
      let stack = try #require(
        entries(
          workshop,
          """
          int without(int (*back)(int), int n);
          PROBED int p(int n) { return n + 1; }
          PROBED int inner(int n) { int r = p(n); KEEP(r); return r; }
          int main(void) { int r = without(inner, 1); KEEP(r); return r != 2; }
          """, ["-O2", "-g", object]
        ).first)
      #expect(Array(stack.functions.prefix(4)) == ["p", "inner", "without", "main"])
    }

    @Test func `a stack goes through a signal frame`() throws {
      let stack = try #require(
        entries(
          Workshop(),
          """
          static int done;
          PROBED void p(int n) { done = n; }
          PROBED void handler(int number) { p(number); KEEP(number); }
          PROBED int interrupted(int n) {
            __asm__ volatile("ud2");
            KEEP(n);
            return n;
          }
          static void skip(int number, siginfo_t *info, void *context);
          #include <ucontext.h>
          static void skip(int number, siginfo_t *info, void *context) {
            (void)info;
            ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 2;
            handler(number);
            KEEP(number);
          }
          int main(void) {
            struct sigaction action = {.sa_sigaction = skip, .sa_flags = SA_SIGINFO};
            if (sigaction(SIGILL, &action, 0) != 0) return 1;
            int r = interrupted(1);
            KEEP(r);
            return done == 0;
          }
          """, ["-O2", "-g", "-D_GNU_SOURCE"]
        ).first)
      #expect(Array(stack.functions.prefix(3)) == ["p", "handler", "skip"])
      // Behind the kernel's return path comes what was interrupted, at an exact place.
      #expect(Array(stack.functions.dropFirst(4).prefix(2)) == ["interrupted", "main"])
      #expect(stack.frames[4].hasSuffix("!") && !stack.frames[5].hasSuffix("!"))
      #expect(stack.ending == .complete)
    }

    @Test func `a stack goes through the library of the kernel`() throws {
      let stacks = try entries(
        Workshop(),
        """
        #include <sys/auxv.h>
        #include <sys/time.h>
        #include <time.h>
        #include <ucontext.h>
        static volatile int done;
        static unsigned long library;
        PROBED void p(int n) { done = n; }
        static void tick(int number, siginfo_t *info, void *context) {
          (void)info;
          unsigned long ip = ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
          if (ip >= library && ip < library + 8192) p(number);
          KEEP(number);
        }
        int main(void) {
          library = getauxval(AT_SYSINFO_EHDR);
          struct sigaction action = {.sa_sigaction = tick, .sa_flags = SA_SIGINFO};
          struct itimerval often = {{0, 1000}, {0, 1000}};
          if (sigaction(SIGALRM, &action, 0) || setitimer(ITIMER_REAL, &often, 0)) return 1;
          sigset_t none;
          sigemptyset(&none);
          sigprocmask(SIG_SETMASK, &none, 0);
          struct timespec now;
          for (long n = 0; !done && n < 400000000; n++) clock_gettime(CLOCK_MONOTONIC, &now);
          return !done;
        }
        """, ["-O2", "-g", "-D_GNU_SOURCE"])
      let stack = try #require(stacks.first, "the timer never hit the library")
      #expect(Array(stack.functions.prefix(2)) == ["p", "tick"])
      #expect(stack.frames[3].hasPrefix("[vdso]+") && stack.frames[3].hasSuffix("!"))
      #expect(stack.functions.contains("main") && stack.ending == .complete)
    }

    @Test func `a window that is too short is said`() throws {
      let stack = try #require(entries(Workshop(), Self.nested, stackBytes: 16).first)
      #expect(stack.functions.first == "p" && stack.ending == .windowEnd)
    }

    @Test func `both libraries find the same stacks, one of them also without rules learnt of it`()
      throws
    {
      let workshop = try Workshop()
      let program = try workshop.compile(Self.head + "\n" + Self.nested)
      let tape = try LiveStacks.record(
        ["uretprobe:\(program):p", "uretprobe:\(program):mid"], [program])
      let one = try LiveStacks.stacks(of: tape)
      let other = try LiveStacks.stacks(of: tape, engine: LibdwEngine())
      #expect(one.count == 4 && one.map(\.comparable) == other.map(\.comparable))
      let stepped = try LiveStacks.stacks(of: tape, engine: LibunwindEngine(learnsRules: false))
      #expect(one.map(\.comparable) == stepped.map(\.comparable))
    }
  }
}
