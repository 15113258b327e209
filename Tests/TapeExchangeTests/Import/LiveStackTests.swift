import Foundation
import Replay
import TapeExchange
import TapeFormat
import Testing

extension LivePerfTests {
  /// Stacks that come with what this host's perf records, as `perf script` prints them.
  @Suite(.serialized) struct StackTests {
    private static let script = "perf script --ns -F tid,time,event,ip,sym,symoff,dso -i $DATA"

    private func program(_ folder: PerfHost.Folder) throws -> String {
      let program = try folder.compile(
        "#define ROUNDS 8\n#define PAUSE 0\n" + LivePerfTests.source,
        options: ["-fno-omit-frame-pointer"])
      return program
    }

    /// A hit's line without what is not on tapes, and the lines of its frames.
    private struct Block: Equatable {
      var head: String
      var frames: [String]

      static func parse(_ text: String) -> [Block] {
        text.split(separator: "\n\n").compactMap { part in
          var lines = part.split(separator: "\n").map(String.init)
          guard !lines.isEmpty, let time = lines[0].firstMatch(of: /(\d+\.\d{9}):\s+[^:]+:([^:]+):/)
          else { return nil }
          lines.removeFirst()
          return Block(
            head: "\(time.1) \(time.2)",
            frames: lines.map { $0.trimmingCharacters(in: .whitespaces) })
        }
      }
    }

    /// perf script's text of what was recorded with these options, and ours of the import of the same.
    private func texts(
      _ options: String, isPipe: Bool = false
    ) throws -> (perf: [Block], ours: [Block], said: String) {
      let folder = try PerfHost.Folder()
      let program = try program(folder)
      let target = isPipe ? "-o - -- $PROGRAM >$DATA" : "-o $DATA -- $PROGRAM"
      let source = isPipe ? Self.script.replacing("-i $DATA", with: "-i - <$DATA") : Self.script
      let recorded = try PerfHost.record(
        folder, program, LivePerfTests.functions,
        """
        { perf record -q -m 8M -k CLOCK_MONOTONIC -e "$EVENTS" \(options) \(target)
        \(source) >stacks 2>/dev/null; }
        """, isPipe: isPipe)
      let said = try PerfHost.shell(
        """
        cd '\(folder.path)'; '\(PerfHost.tool)' import '\(recorded.data)' -o t.tape 2>&1
        '\(PerfHost.tool)' export --to perf-script t.tape -o ours 2>/dev/null
        """)
      let perf = try String(contentsOfFile: folder.path + "/stacks", encoding: .utf8)
      let ours = try String(contentsOfFile: folder.path + "/ours", encoding: .utf8)
      return (Block.parse(perf), Block.parse(ours), said)
    }

    @Test(arguments: [
      ("-g", false), ("--call-graph fp", false), ("-z --call-graph fp", false),
      ("--call-graph fp", true), ("--buildid-mmap --call-graph fp", false),
    ])
    func `the frames are those of perf script, line by line`(options: String, isPipe: Bool) throws {
      let (perf, ours, said) = try texts(options, isPipe: isPipe)
      #expect(perf.count > 100)
      // perf 6.1 writes a sample twice now and then.
      var seen: [Block] = []
      for block in perf where seen.last != block { seen.append(block) }
      #expect(seen.map(\.head) == ours.map(\.head))
      #expect(said.contains("\(ours.count) stacks"), "\(said)")
      var named = 0
      for (theirs, mine) in zip(seen, ours) {
        #expect(theirs.frames.count == mine.frames.count, "\(theirs) \(mine)")
        for (left, right) in zip(theirs.frames, mine.frames) {
          if left.contains("[unknown]") || right.contains("[unknown]") {
            // Whoever has no name: offset and file are the same all the same.
            #expect(
              left.split(separator: " ").first == right.split(separator: " ").first
                && left.split(separator: " ").last == right.split(separator: " ").last)
          } else {
            #expect(left == right)
            named += 1
          }
        }
      }
      #expect(named > 500)
    }

    @Test func `stack bytes that perf dumped are unwound past return probes`() throws {
      let folder = try PerfHost.Folder()
      let program = try program(folder)
      let recorded = try PerfHost.record(
        folder, program, ["leaf", "tail", "outer", "over"],
        """
        { perf record -q -m 16M -k CLOCK_MONOTONIC -e "$EVENTS" --call-graph dwarf,8192 -o $DATA \
        -- $PROGRAM
        perf record -q -m 16M -k CLOCK_MONOTONIC \
        -e "${EVENTS%\\*}leaf" -e "${EVENTS%\\*}tail" \
        -e "${EVENTS%\\*}outer" -e "${EVENTS%\\*}over" \
        --call-graph dwarf,8192 -o plain -- $PROGRAM
        perf script --ns -F event,ip,sym -i plain >stacks 2>/dev/null; }
        """)
      // Without return probes perf itself can unwind: that is the judge.
      func stacks(_ text: String) -> [String: Int] {
        var counts: [String: Int] = [:]
        for part in text.split(separator: "\n\n") {
          let names = part.split(separator: "\n").dropFirst().map {
            $0.trimmingCharacters(in: .whitespaces).split(separator: " ")[1]
              .split(separator: "+")[0]
          }
          guard let main = names.firstIndex(where: { $0 == "main" || $0 == "work" }) else {
            continue
          }
          counts[names[...main].joined(separator: ";"), default: 0] += 1
        }
        return counts
      }
      let ours = try PerfHost.shell(
        """
        cd '\(folder.path)'; '\(PerfHost.tool)' import '\(recorded.data)' -o t.tape 2>/dev/null
        '\(PerfHost.tool)' unwind t.tape -o u.tape 2>/dev/null
        '\(PerfHost.tool)' export --to perf-script u.tape 2>/dev/null
        """)
      let entries = ours.split(separator: "\n\n").filter { !$0.contains("__return: (") }
      let perf = stacks(try String(contentsOfFile: folder.path + "/stacks", encoding: .utf8))
      #expect(perf.count > 8)
      #expect(stacks(entries.joined(separator: "\n\n")) == perf)
    }

    @Test func `a file that is missing, or of another build, costs names and nothing else`() throws
    {
      let folder = try PerfHost.Folder()
      let program = try program(folder)
      let recorded = try PerfHost.record(
        folder, program, LivePerfTests.functions,
        "perf record -q -m 8M -k CLOCK_MONOTONIC -e \"$EVENTS\" -g -o $DATA -- $PROGRAM")
      func imported() throws -> (said: String, folded: String) {
        // perf keeps copies by build id at home.
        let tool = "env HOME=/none \(PerfHost.tool)"
        let said = try PerfHost.shell(
          "cd '\(folder.path)'; \(tool) import '\(recorded.data)' -o t.tape 2>&1")
        return (
          said,
          try PerfHost.shell("cd '\(folder.path)'; \(tool) export --to folded t.tape 2>/dev/null")
        )
      }
      let whole = try imported()
      #expect(whole.folded.contains(";main;work;outer;rec"))
      #expect(!whole.said.contains("build"), "\(whole.said)")
      // Another program under its name: its build id is not that of the recording.
      try PerfHost.shell(
        "cd '\(folder.path)'; echo 'int main(void) { return 1; }' | cc -x c -o program -")
      let other = try imported()
      #expect(other.said.contains("\(program): of another build than on the tape (build id "))
      try FileManager.default.removeItem(atPath: program)
      let missing = try imported()
      #expect(missing.said.contains("\(program): not found (build id "))
      for folded in [other.folded, missing.folded] {
        #expect(folded.contains(";[program];[program];[program];[program]"), "\(folded)")
        #expect(folded.split(separator: "\n").count > 0)
        #expect(!folded.contains(";work;"))
      }
    }
  }
}
