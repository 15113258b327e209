import Foundation
import ProbeEvents
import Replay
import TapeExchange
import TapeFormat
import Testing

extension LivePerfTests {
  /// What real files of this host's perf have beside hits, and what they lack.
  @Suite(.serialized) struct LimitTests {
    private func program(_ folder: PerfHost.Folder, rounds: Int) throws -> String {
      try folder.compile("#define ROUNDS \(rounds)\n#define PAUSE 0\n" + LivePerfTests.source)
    }

    @Test func `what the ring had no room for is counted, and not judged`() throws {
      let folder = try PerfHost.Folder()
      let recorded = try PerfHost.record(
        folder, try program(folder, rounds: 4000), LivePerfTests.functions,
        """
        { perf record -q -m 1 -k CLOCK_MONOTONIC -e "$EVENTS" --call-graph dwarf,64 -o $DATA -- $PROGRAM
        perf script -D -i $DATA 2>/dev/null | grep -a LOST >lost; }
        """)
      let text = try String(contentsOfFile: folder.path + "/lost", encoding: .utf8)
      func sum(_ matches: [Regex<(Substring, Substring)>.Match]) -> UInt64 {
        matches.reduce(0) { $0 + (UInt64($1.1) ?? 0) }
      }
      // Those that the rings tell of, and those that the events count.
      let placed = sum(text.matches(of: /LOST: id:\d+: lost:(\d+)/))
      let counted = sum(text.matches(of: /lost samples :(\d+)/))
      #expect(placed > 0, "\(text.prefix(300))")
      let tape = try ImportedTape(path: recorded.data)
      #expect(tape.summary.lost == max(placed, counted))
      #expect(tape.trailer?.lost == tape.summary.lost)
      let judge = ObservedHit.parse(recorded.script)
      #expect(UInt64(judge.count) == UInt64(tape.hits.count) + tape.summary.duplicates)
      let conclusion = try tape.replay()
      #expect(conclusion.verdict == .unjudged && conclusion.divergences == [])
      #expect(conclusion.reason?.contains("dropped") == true, "\(conclusion)")
    }

    @Test func `mappings, names, forks and exits are those that perf script prints`() throws {
      let folder = try PerfHost.Folder()
      let recorded = try PerfHost.record(
        folder, try program(folder, rounds: 10), LivePerfTests.functions,
        """
        { perf record -q -m 8M -k CLOCK_MONOTONIC -e "$EVENTS" --call-graph dwarf,64 -o $DATA -- $PROGRAM
        perf script --ns --show-task-events --show-mmap-events -F comm,pid,time,event -i $DATA \
        >side 2>/dev/null; }
        """)
      let lines = try String(contentsOfFile: folder.path + "/side", encoding: .utf8)
        .split(separator: "\n").filter { !$0.contains(" 0.000000000: ") }
      let events = try ImportedTape(path: recorded.data).sideEvents.map(\.event)
      func theirs(_ name: String) -> [Substring] {
        lines.filter { $0.contains("PERF_RECORD_\(name)") }
      }
      let forks = events.compactMap { event -> TaskFork? in
        if case .fork(let fork) = event { fork } else { nil }
      }
      // A thread and a child, as (process:thread):(parent's process:thread).
      #expect(forks.count == 2)
      #expect(
        theirs("FORK(").compactMap { $0.split(separator: "FORK").last }
          == forks.map {
            "(\($0.child.process):\($0.child.thread)):(\($0.parent.process):\($0.parent.thread))"
          })
      let exits = events.compactMap { if case .exit(let thread) = $0 { thread } else { nil } }
      #expect(exits.count == 3)
      #expect(
        theirs("EXIT(").compactMap {
          $0.firstMatch(of: /EXIT\((\d+):(\d+)\)/).map { "\($0.1) \($0.2)" }
        }
          == exits.map { "\($0.process) \($0.thread)" })
      let execs = events.compactMap { event -> String? in
        if case .exec(_, let name) = event { name } else { nil }
      }
      #expect(execs == ["program"])
      #expect(theirs("COMM exec:").count == 1)
      let mappings = events.compactMap { event -> Mapping? in
        if case .mapping(let mapping) = event { mapping } else { nil }
      }
      let executable = theirs("MMAP2 ").filter { $0.contains(" r-xp ") || $0.contains(" --xp ") }
      #expect(executable.count > 3)
      #expect(
        executable.compactMap { line in
          line.firstMatch(of: #/\[0x([0-9a-f]+)\(0x([0-9a-f]+)\) @ (?:0x)?([0-9a-f]+) /#).map {
            "\($0.1) \($0.2) \($0.3)"
          }
        }
          == mappings.map { mapping in
            [mapping.start, mapping.length, mapping.fileOffset].map { String($0, radix: 16) }
              .joined(separator: " ")
          })
    }

    @Test func `a recording of other events is refused with their names`() throws {
      let folder = try PerfHost.Folder()
      let data = folder.path + "/perf.data"
      try PerfHost.shell("perf record -q -e cpu-clock -o '\(data)' -- true 2>/dev/null")
      let error = try #require(throws: ExchangeError.self) { try ImportedTape(path: data) }
      #expect(error == .noUprobeEvents(["cpu-clock"]))
      #expect(error.description.contains("perf probe -x"))
    }
  }
}
