import Foundation
import ProbeEvents
import Replay
import TapeExchange
import TapeFormat
import Testing

/// Files recorded by this host's perf during the test. `perf script` of the same file is the judge of
/// what hits there are.
@Suite(.serialized, .enabled(if: PerfHost.canRecord)) struct LivePerfTests {
  /// Recursion, tail calls, a longjmp over probed calls, threads, a child.
  static let source = """
    #include <pthread.h>
    #include <setjmp.h>
    #include <sys/wait.h>
    #include <unistd.h>
    #define PROBED __attribute__((noinline, noipa))
    #define KEEP(x) __asm__ volatile("" : "+r"(x) : : "memory")
    static __thread jmp_buf back;
    PROBED int leaf(int n) { return n + 1; }
    PROBED int tail(int n) { return leaf(n + 1); }
    PROBED int rec(int n) { int r = n ? rec(n - 1) : tail(0); KEEP(r); return r; }
    PROBED int jump(int n) { if (n) longjmp(back, 1); return n; }
    PROBED int over(int n) { int r = jump(n); KEEP(r); return r; }
    PROBED int outer(int n) {
      int r = rec(n % 4);
      if (!setjmp(back)) r += over(1);
      KEEP(r);
      return r;
    }
    static void *work(void *unused) {
      for (int i = 0; i < ROUNDS; i++) { outer(i); if (PAUSE) usleep(PAUSE); }
      return unused;
    }
    int main(void) {
      pthread_t thread;
      pthread_create(&thread, 0, work, 0);
      work(0);
      pthread_join(thread, 0);
      if (!PAUSE && fork() == 0) { outer(2); _exit(0); }
      while (wait(0) > 0) ;
      return 0;
    }
    """
  static let functions = ["leaf", "tail", "rec", "jump", "over", "outer"]

  private func program(
    _ folder: PerfHost.Folder, rounds: Int = 40, pause: Int = 0
  ) throws -> String {
    try folder.compile("#define ROUNDS \(rounds)\n#define PAUSE \(pause)\n" + Self.source)
  }

  private func expectHits(_ tape: ImportedTape, _ recorded: PerfHost.Recorded) throws {
    let judge = ObservedHit.parse(recorded.script)
    #expect(judge.count > 100)
    // perf script drops nothing: samples written twice are there twice.
    var seen: Set<ObservedHit> = []
    #expect(tape.observed == judge.filter { seen.insert($0).inserted })
    #expect(UInt64(judge.count) == UInt64(tape.hits.count) + tape.summary.duplicates)
  }

  @Test(arguments: [
    ("-e \"$EVENTS\" --call-graph dwarf,64 -o $DATA", ">&2", false),
    ("-z -e \"$EVENTS\" --call-graph dwarf,64 -o $DATA", ">&2", false),
    ("-a -e \"$EVENTS\" --call-graph dwarf,64 -o $DATA", ">&2", false),
    ("-e \"$EVENTS\" --call-graph dwarf,4096 -o $DATA", ">&2", false),
    ("-e \"$EVENTS\" --call-graph dwarf,64 --user-regs=SP,IP -o $DATA", ">&2", false),
    ("-e \"$EVENTS\" --call-graph dwarf,64 -o -", ">$DATA", true),
    ("-z -e \"$EVENTS\" --call-graph dwarf,64 -o -", ">$DATA", true),
    ("--buildid-mmap -e \"$EVENTS\" --call-graph dwarf,64 -o $DATA", ">&2", false),
  ])
  func `what perf records replays to a match`(
    options: String, target: String, isPipe: Bool
  ) throws {
    let folder = try PerfHost.Folder()
    // What happens while a system-wide perf switches its events on is not judged: go on for longer.
    let rounds = options.hasPrefix("-a") ? 120 : 40
    let recorded = try PerfHost.record(
      folder, try program(folder, rounds: rounds), Self.functions,
      "{ perf record -q -m 8M -k CLOCK_MONOTONIC \(options) -- $PROGRAM \(target); }",
      isPipe: isPipe)
    let tape = try ImportedTape(path: recorded.data)
    try expectHits(tape, recorded)
    #expect(Set(tape.header.probes.map(\.symbol)) == Set(Self.functions))
    #expect(tape.header.probes.allSatisfy { $0.path == folder.path + "/program" && $0.wantsReturn })
    let conclusion = try tape.replay()
    #expect(conclusion.verdict == .match, "\(conclusion)")
    #expect(conclusion.evidence.returns > 100 && conclusion.evidence.trampolineWords > 100)
    let judged = tape.hits.count { $0.kind == .return && $0.time >= tape.header.wholeFrom }
    #expect(
      conclusion.evidence.returns + conclusion.evidence.returnsOfUnseenEntries == UInt64(judged))
    if !options.hasPrefix("-a") { #expect(UInt64(judged) == conclusion.returns) }
  }

  @Test(arguments: ["", "-g", "--user-regs=SP,IP"])
  func `without stack words the order is checked`(options: String) throws {
    let folder = try PerfHost.Folder()
    let recorded = try PerfHost.record(
      folder, try program(folder), Self.functions,
      "perf record -q -m 8M -e \"$EVENTS\" \(options) -o $DATA -- $PROGRAM")
    let tape = try ImportedTape(path: recorded.data)
    try expectHits(tape, recorded)
    let conclusion = try tape.replay()
    #expect(conclusion.verdict == .unjudged && conclusion.divergences == [])
    #expect(
      conclusion.reason?.contains("the order of \(conclusion.returns) returns agrees") == true)
    #expect(tape.summary.stacks == (options == "-g" ? UInt64(tape.hits.count) : 0))
  }

  @Test func `processes that run already`() throws {
    let folder = try PerfHost.Folder()
    let recorded = try PerfHost.record(
      folder, try program(folder, rounds: 1500, pause: 1000), Self.functions,
      """
      { $PROGRAM & perf record -q -m 8M -k CLOCK_MONOTONIC -e "$EVENTS" --call-graph dwarf,64 -o $DATA \
      -p $!; wait; }
      """)
    let tape = try ImportedTape(path: recorded.data)
    try expectHits(tape, recorded)
    #expect(tape.header.wholeFrom > 0)
    #expect(tape.header.attachedProcesses.count == 1)
    #expect(tape.header.command == [])
    let judged = tape.hits.count { $0.time >= tape.header.wholeFrom }
    #expect(judged > 100)
    let conclusion = try tape.replay()
    #expect(conclusion.verdict == .match, "\(conclusion)")
  }

  @Test func `a perf that is killed leaves a tape`() throws {
    let folder = try PerfHost.Folder()
    let recorded = try PerfHost.record(
      folder, try program(folder, rounds: 3000, pause: 500), Self.functions,
      """
      { mkfifo go; $PROGRAM & target=$!
      perf record -q -k CLOCK_MONOTONIC -e "$EVENTS" --call-graph dwarf,4096 -m 16 -o $DATA -p $target &
      recorder=$!
      while [ "$(stat -c %s $DATA 2>/dev/null || echo 0)" -lt 400000 ]; do sleep 0.05; done
      kill -KILL $recorder; wait $recorder || true; kill $target; wait $target || true; }
      """)
    let tape = try ImportedTape(path: recorded.data)
    #expect(tape.hits.count > 20)
    #expect(tape.summary.cut?.contains("killed") == true)
    let conclusion = try tape.replay()
    #expect(conclusion.verdict == .unjudged, "\(conclusion)")
  }

  @Test func `the uprobe PMU directly`() throws {
    let folder = try PerfHost.Folder()
    let program = try folder.compile(
      "__attribute__((noipa)) int f(int n) { return n + 1; } int main(void) { return f(-1); }")
    // perf gives the PMU a number where the kernel wants the address of a path: that of a variable in
    // perf's own environment, which lies at a known place when addresses are not randomised.
    let script = """
      import ctypes, os, subprocess, sys
      target, data = sys.argv[1:3]
      perf = os.path.realpath(subprocess.check_output(["sh", "-c", "command -v perf"], text=True).strip())
      address = 0x7FFFFFFFF000 - 8 - (len(perf) + 1) - (len(target) + 1)
      offset = next(int(line.split()[0], 16) for line in
                    subprocess.check_output(["nm", target], text=True).splitlines() if line.endswith(" T f"))
      events = []
      for kind in 0, 1:
          events += ["-e", f"uprobe/config={kind},config1={address},config2={offset}/"]
      ctypes.CDLL(None).personality(0x0040000)
      os.execve(perf, ["perf", "record", "-q", "-i", "-R", "-c", "1", "-k", "CLOCK_MONOTONIC", *events,
                       "--call-graph", "dwarf,64", "-o", data, "--", target], {"P": target})
      """
    let data = folder.path + "/perf.data"
    try Data(script.utf8).write(to: URL(filePath: folder.path + "/pmu.py"))
    try PerfHost.shell("python3 '\(folder.path)/pmu.py' '\(program)' '\(data)'")
    let tape = try ImportedTape(path: data)
    #expect(tape.hits.map(\.kind) == [.entry, .return])
    #expect(tape.header.probes.count == 1)
    #expect(tape.header.probes[0].path == program)
    #expect(try tape.replay().verdict == .match)
  }

  @Test func `probetape and perf record the same of one program`() throws {
    let folder = try PerfHost.Folder()
    let program = try folder.compile(
      "#define ROUNDS 5\n#define PAUSE 0\n"
        + Self.source.replacing("pthread_create(&thread, 0, work, 0);", with: "")
        .replacing("pthread_join(thread, 0);", with: ""))
    let recorded = try PerfHost.record(folder, program, Self.functions)
    let perf = try ImportedTape(path: recorded.data)
    let own = folder.path + "/own.tape"
    let probes = Self.functions.map { "-e 'uretprobe:\(program):\($0)'" }.joined(separator: " ")
    try PerfHost.shell("\(PerfHost.tool) record -q \(probes) -o '\(own)' -- '\(program)'")
    let lines = try PerfHost.shell("\(PerfHost.tool) export --to json '\(own)'")
      .split(separator: "\n").map { line in
        try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      }
    // The child runs beside its parent, so each process for itself.
    func sequences(_ hits: [(process: Int, text: String)]) -> [[String]] {
      Dictionary(grouping: hits, by: \.process).sorted { $0.key < $1.key }
        .map { $0.value.map(\.text) }
    }
    let ours = sequences(
      lines.map {
        ($0["process"] as? Int ?? 0, "\($0["kind"] ?? "") \($0["probe"] ?? "")")
      })
    let theirs = sequences(
      perf.hits.map { (Int($0.thread.process), "\($0.kind) \($0.probe)") })
    #expect(ours.map(\.count) == theirs.map(\.count))
    #expect(ours == theirs)
    #expect(ours.count == 2)
  }
}
