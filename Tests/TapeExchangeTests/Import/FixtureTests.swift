import Foundation
import ProbeEvents
import Replay
import TapeExchange
import TapeFormat
import Testing

/// Files recorded with Debian's perf 6.1 on a 6.18 kernel, of Fixtures/chain.c: one call, in it three
/// probed functions in a row of tail calls. `perf script` of the same files is the judge.
@Suite struct FixtureTests {
  static let withRegisters = ["chain", "chain-z", "chain-pipe", "chain-pipe-z", "chain-pmu"]

  @Test(arguments: ["chain", "chain-z", "chain-pipe", "chain-pipe-z", "chain-plain", "chain-fp"])
  func `the hits are those that perf script prints`(name: String) throws {
    let tape = try ImportedTape(path: Fixture.path(name + ".data"))
    let judge = ObservedHit.parse(try Fixture.text(name + ".script"))
    #expect(judge.count == 8)
    #expect(tape.observed == judge)
    #expect(
      tape.hits.map(\.probe) == [
        "p_caller", "p_t1", "p_t2", "p_t3", "p_t3", "p_t2", "p_t1", "p_caller",
      ])
  }

  @Test(arguments: withRegisters)
  func `a file with registers and stack words replays to a match`(name: String) throws {
    let tape = try ImportedTape(path: Fixture.path(name + ".data"))
    let conclusion = try tape.replay()
    #expect(conclusion.verdict == .match, "\(conclusion)")
    #expect(conclusion.evidence.returns == 4)
    #expect(conclusion.evidence.returnSlots == 4)
    #expect(conclusion.evidence.trampolineWords > 0)
  }

  @Test func `the uprobe PMU's probes are told by their offsets`() throws {
    let tape = try ImportedTape(path: Fixture.path("chain-pmu.data"))
    // perf script prints the events' own numbers: whether a return, and the offset in the file.
    let line =
      /^(\d+)\s+(\d+)\.(\d{9}): uprobe\/config=(\d),.*config2=0x([0-9a-f]+)\/:\s+([0-9a-f]+)/
    let judge = try Fixture.text("chain-pmu.script").split(separator: "\n").map { row in
      let match = try #require(try line.prefixMatch(in: row))
      return "\(match.1) \(match.2)\(match.3) \(match.4) \(match.5) \(match.6)"
    }
    #expect(judge.count == 8)
    var reader: [String] = []
    for hit in tape.hits {
      let probe = try #require(tape.header.probes.first { $0.displayName == hit.probe })
      reader.append(
        "\(hit.thread.thread) \(hit.time) \(hit.kind == .return ? 1 : 0) "
          + "\(String(probe.fileOffset, radix: 16)) \(String(hit.ip, radix: 16))")
    }
    #expect(reader == judge)
    #expect(tape.header.probes.allSatisfy { $0.path == "/srv/fixture/chain" && $0.wantsReturn })
  }

  @Test(arguments: withRegisters)
  func `the header says where it is from`(name: String) throws {
    let header = try ImportedTape(path: Fixture.path(name + ".data")).header
    #expect(header.kernel.architecture == .x86_64)
    #expect(header.kernel.release.hasPrefix("6.18.44"))
    #expect(header.command.last?.hasSuffix("chain") == true)
    #expect(header.stackBytes == 64)
    #expect(header.wholeFrom == 0)
    let facts = Dictionary(uniqueKeysWithValues: header.kernel.facts.map { ($0.name, $0.value) })
    #expect(facts["clock"] == "CLOCK_MONOTONIC")
    #expect(facts["page-size"] ?? "4096" == "4096")
    #expect(facts["recorded-by"]?.hasPrefix("perf 6.1") == true)
    #expect(facts["perf-command"]?.contains("--call-graph dwarf,64") == true)
    // perf reads build ids from files it can find when it ends, and from the kernel for pipes.
    let sizes = Set(header.probes.map(\.buildID.count))
    #expect(sizes == [0] || sizes == [20])
  }

  @Test func `the side band comes over`() throws {
    let events = try ImportedTape(path: Fixture.path("chain.data")).sideEvents.map(\.event)
    #expect(events.contains { if case .exec(_, "chain") = $0 { true } else { false } })
    #expect(events.contains { if case .exit = $0 { true } else { false } })
    let mappings = events.compactMap { if case .mapping(let mapping) = $0 { mapping } else { nil } }
    #expect(mappings.contains { $0.path == "[uprobes]" })
    #expect(mappings.contains { $0.path == "/srv/fixture/chain" && $0.fileOffset == 0x1000 })
  }

  @Test func `without registers the order alone is checked, and that is said`() throws {
    let tape = try ImportedTape(path: Fixture.path("chain-plain.data"))
    #expect(tape.summary.notes.contains { $0.contains("only the order of returns") })
    #expect(tape.summary.notes.contains { $0.contains("perf's own clock") })
    let conclusion = try tape.replay()
    #expect(conclusion.verdict == .unjudged)
    #expect(conclusion.divergences == [])
    #expect(conclusion.evidence.returns == 4)
    let reason = try #require(conclusion.reason)
    #expect(reason.contains("the order of 4 returns agrees"))
    #expect(reason.contains("no chaining"))
  }

  @Test func `callchains are those that perf script prints`() throws {
    let tape = try ImportedTape(path: Fixture.path("chain-fp.data"))
    let judge = try Fixture.text("chain-fp.script").split(separator: "\n\n").map { part in
      part.split(separator: "\n").dropFirst().map { line in
        let fields = line.split(whereSeparator: \.isWhitespace)
        let file = String(fields[2].dropFirst().dropLast())
        return (file == "[unknown]" ? "-" : file) + "+" + fields[0]
      }
    }
    #expect(judge.count == 8)
    #expect(tape.hits.map { $0.frames.map { $0.replacing("!", with: "") } } == judge)
    #expect(tape.hits.allSatisfy { $0.frames.map { $0.hasSuffix("!") }.firstIndex(of: true) == 0 })
    #expect(tape.summary.stacks == 8)
  }

  @Test func `a copy of a compressed file in perf's newer form gives the same tape`() throws {
    let old = try Fixture.bytes("chain-pipe-z.data")
    var new = Array(old[..<16])
    var index = 16
    var changed = 0
    while index < old.count {
      let kind = UInt32(old[index]) | UInt32(old[index + 1]) << 8
      let size = Int(old[index + 6]) | Int(old[index + 7]) << 8
      var end = index + size
      if kind == 66 {
        let payload = Int(old[index + 8]) | Int(old[index + 9]) << 8
        end = index + size + (payload + 7) / 8 * 8
      }
      if kind == 81 {
        // PERF_RECORD_COMPRESSED2: the length of the data, the data, filled up to whole words.
        let data = Array(old[index + 8..<end])
        let padding = (8 - data.count % 8) % 8
        new.add(UInt32(83))
        new.add(UInt16(0))
        new.add(UInt16(16 + data.count + padding))
        new.add(UInt64(data.count))
        new += data + [UInt8](repeating: 0xEE, count: padding)
        changed += 1
      } else {
        new += old[index..<end]
      }
      index = end
    }
    #expect(changed > 0)
    #expect(try ImportedTape(new).bytes == ImportedTape(old).bytes)
  }
}
