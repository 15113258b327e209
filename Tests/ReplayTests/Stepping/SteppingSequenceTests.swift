import KernelModel
import ProbeEvents
import TapeFormat
import Testing

@testable import Replay

/// What is remembered from hit to hit, of threads, processes and sites.
@Suite("Stepping: sequences of hits")
struct SteppingSequenceTests {
  typealias Case = SteppingX86Tests.Case
  static let bx = 1
  static let thread = ThreadIdentity(process: 7, thread: 7)

  private func push() throws -> RewrittenTape { try RewrittenTape(recording: "instruction-push") }

  /// The tape of an instruction, with its two hits repeated.
  private func repeated(_ row: Case, _ times: Int) throws -> RewrittenTape {
    var tape = try row.tape()
    let items = tape.items
    for _ in 1..<times { tape.items += items }
    return tape
  }

  @Test("hits count from the time on that the tape is whole, that time included")
  func wholeFrom() throws {
    var late = try push()
    late.header.wholeFrom = late.hits[5].time
    var short = try push()
    for _ in 0..<5 { short.remove(hit: 0) }
    let steps = try replay(short.bytes()).evidence.steps
    #expect(try replay(late.bytes()).evidence.steps == steps)
    #expect(steps == 11)
  }

  @Test("a hit without registers ends what was expected of the one before it")
  func registersMissing() throws {
    var tape = try Case("push", [0x55], after: ["sp": SteppingX86Tests.stack - 8]).tape()
    tape.items.append(tape.items[1])
    tape.change(hit: 1) { hit, _ in hit.flags.insert(.registersMissing) }
    tape.change(hit: 2) { hit, _ in hit.registers[Self.bx] = 1 }
    #expect(try replay(tape.bytes()).divergences == [])
  }

  @Test("an exec or an exit ends what was expected of their process or thread, and of no other")
  func ends() throws {
    let thread = try #require(try push().hits.first?.thread)
    let other = ThreadIdentity(process: thread.process + 1, thread: thread.thread + 1)
    for (event, isEnd) in [
      (SideEvent.exec(thread, "again"), true), (.exec(other, "again"), false),
      (.exit(thread), true), (.exit(other), false),
    ] {
      var tape = try push()
      tape.change(hit: 5) { hit, _ in hit.registers[Self.bx] ^= 0x40 }
      tape.insert(event, beforeHit: 5)
      #expect(try replay(tape.bytes()).divergences.first?.hit == (isEnd ? 6 : 5))
    }
  }

  @Test("of a thread that diverged nothing more is compared, until another has its number")
  func diverged() throws {
    for hasExited in [false, true] {
      var tape = try push()
      for hit in [3, 9] { tape.change(hit: hit) { hit, _ in hit.registers[Self.bx] ^= 0x40 } }
      if hasExited { tape.insert(.exit(tape.hits[6].thread), beforeHit: 6) }
      let hits = try replay(tape.bytes()).divergences.map(\.hit)
      #expect(hits == (hasExited ? [3, 9] : [3]))
    }
  }

  @Test("a hit elsewhere behind a conditional jump is let pass")
  func elsewhereBehindJump() throws {
    var tape = try RewrittenTape(recording: "instruction-conditions")
    let names = tape.names
    let taken = try #require(
      names.indices.dropFirst().first { names[$0] == names[$0 - 1] + "_taken" })
    tape.remove(hit: taken)
    #expect(try replay(tape.bytes()).verdict == .match)
  }

  @Test("the digest tells by what was expected, how much was compared, and what returned")
  func digest() throws {
    func digest(_ tape: RewrittenTape) throws -> String { try replay(tape.bytes()).digest }
    var tapes: [RewrittenTape] = []
    for value in [0x11, 0x22] as [UInt64] {
      var tape = try push()
      for hit in 0..<3 { tape.change(hit: hit) { hit, _ in hit.registers[Self.bx] = value } }
      tape.change(hit: 3) { hit, _ in hit.registers[Self.bx] = 0x33 }
      tapes.append(tape)
    }
    #expect(try digest(tapes[0]) != digest(tapes[1]))
    var shorter = try push()
    shorter.remove(hit: 5)
    #expect(try digest(push()) != digest(shorter))
    // The same hits, of which fewer can be followed.
    var blind = try push()
    blind.header.probes[3].originalBytes = []
    #expect(try replay(blind.bytes()).evidence.steps < replay(push().bytes()).evidence.steps)
    #expect(try digest(push()) != digest(blind))
    let calls = try RewrittenTape(recording: "call-at-first-instruction")
    let last = try #require(calls.hits.lastIndex { $0.kind == .return })
    var without = calls
    without.remove(hit: last)
    #expect(try replay(without.bytes()).evidence.steps == replay(calls.bytes()).evidence.steps)
    #expect(try digest(calls) != digest(without))
  }

  @Test("nothing is new before anything was compared")
  func nothingNew() throws {
    let header = try push().header
    var check = try #require(
      SteppingCheck(header: header, rules: UprobeRules(kernel: header.kernel)))
    #expect(check.takeNew().isEmpty)
  }

  @Test("probes without another in their file are not followed, wherever they lead")
  func otherFile() throws {
    let base = SteppingX86Tests.base
    func probe(_ path: String, _ offset: UInt64, _ bytes: [UInt8]) -> Probe {
      Probe(path: path, fileOffset: offset, wantsReturn: false, originalBytes: bytes)
    }
    var tape = RewrittenTape(
      header: TapeHeader(
        kernel: KernelFacts(architecture: .x86_64, release: "6.18.0"),
        probes: [
          probe("/p", 0x100, [0x90]), probe("/p", 0x101, [0x90]), probe("/q", 0x200, [0xff, 0xe0]),
        ], command: ["/p"], stackBytes: 64))
    for (index, (number, address)) in [(2, base + 0x9200), (0, base + 0x100), (1, base + 0x101)]
      .enumerated()
    {
      var registers = RegisterFile()
      registers[0] = base + 0x100
      registers[8] = address
      let hit = Hit(
        kind: .entry, cpu: 0, probe: UInt32(number), thread: Self.thread, time: UInt64(index),
        function: address, registers: registers)
      tape.items.append(.hit(hit, window: []))
    }
    let conclusion = try replay(tape.bytes())
    #expect(conclusion.divergences == [] && conclusion.evidence.steps == 1)
  }

  @Test("an optimised site of ten bytes is entered by system call from its second hit on")
  func nop10() throws {
    let nop: [UInt8] = [0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0]
    let conclusion = try replay(repeated(Case("", nop, release: "7.2.0"), 3).bytes())
    #expect(conclusion.divergences == [] && conclusion.evidence.steps == 3)
  }

  @Test("a divergence says by which way the site was entered, anew after an exec")
  func waysIn() throws {
    let row = Case("", [0x0f, 0x1f, 0x44, 0, 0])
    for (hit, hasExec, rule) in [
      (1, false, "branch_emulate_op()"), (3, false, "sys_uprobe()"),
      (3, true, "branch_emulate_op()"), (5, false, "sys_uprobe()"),
    ] {
      var tape = try repeated(row, 3)
      tape.change(hit: hit) { hit, _ in hit.registers[Self.bx] ^= 1 }
      if hasExec { tape.insert(.exec(Self.thread, "again"), beforeHit: hit - 1) }
      let divergence = try replay(tape.bytes()).divergences.first
      #expect(divergence?.hit == UInt64(hit))
      #expect(divergence?.rule.contains(rule) == true, "\(hit): \(divergence?.rule ?? "")")
    }
  }

  @Test("steps that are given up leave their slots to others")
  func slots() throws {
    // pop %rax, from beyond the window but for the last time.
    var tape = try repeated(
      Case("", [0x58], after: ["sp": SteppingX86Tests.stack + 8, "ax": 5]), 40)
    tape.change(hit: 78) { _, window in window = [5] }
    let conclusion = try replay(tape.bytes())
    #expect(conclusion.divergences == [] && conclusion.evidence.steps == 1)
  }

  @Test("many processes, and a probe at another place of its page, are followed all the same")
  func processes() throws {
    var tape = try repeated(Case("", [0x90]), 70)
    let processes = Array(0..<68) + [40, 67]
    for (index, process) in processes.enumerated() {
      for hit in [2 * index, 2 * index + 1] {
        tape.change(hit: hit) { hit, _ in
          let number = Int32(100 + process)
          hit.thread = ThreadIdentity(process: number, thread: number)
          // The last one has the file's page shifted, as only a made-up tape can.
          if index == 69 {
            hit.registers[8] += 0x80
            hit.function += 0x80
          }
        }
      }
    }
    let conclusion = try replay(tape.bytes())
    #expect(conclusion.divergences == [] && conclusion.evidence.steps == 70)
  }
}
