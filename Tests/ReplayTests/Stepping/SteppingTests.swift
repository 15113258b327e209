import KernelModel
import ProbeEvents
import TapeFormat
import Testing

@testable import Replay

/// What probed instructions did, as live recordings have it, against the model; and each recording
/// with one thing changed, which must be noticed where it was changed.
@Suite("Stepping")
struct SteppingTests {
  static let ip = Architecture.x86_64.registerLayout.instructionPointer
  static let sp = Architecture.x86_64.registerLayout.stackPointer
  static let flags = 9
  static let trapFlag: UInt64 = 0x100

  @Test(
    "every instruction that goes to a probed place is compared, and is as the model says",
    arguments: [
      // Hits whose successor is a hit, less what goes where the tape cannot tell.
      "instruction-nops": 10, "instruction-push": 16, "instruction-pushf": 2,
      // The first hit of each round is reached from the program.
      "instruction-conditions": 8 * 41 - 8, "instruction-nop5": 10, "instruction-jumps": 10,
      // Two calls go through memory that is not on the tape.
      "instruction-calls": 16, "instruction-relative": 12, "instruction-repeat": 9,
      "instruction-stepped": 15, "instruction-trap-flag": 5, "instruction-vex": 6,
      // The step of vcmpps never ends. That of a system call ends one instruction late.
      "instruction-syscall": 3, "instruction-vex-compare": 1,
      // A call as first instruction, whose target is probed.
      "call-at-first-instruction": 1,
      // All but one that goes on to an instruction without a probe.
      "instruction-moves": 18,
      // A 32-bit return, which is stepped, is not followed.
      "instruction-compat": 9,
      // A tracepoint's nop, whose probe has a reference counter.
      "usdt-semaphore": 3,
    ])
  func compared(name: String, steps: Int) throws {
    let tape = try RewrittenTape(recording: name)
    let conclusion = try replay(tape.bytes())
    #expect(conclusion.verdict == .match)
    #expect(conclusion.evidence.steps == UInt64(steps))
  }

  @Test(
    "an emulated instruction changes no register but those it is about",
    arguments: ["instruction-push", "instruction-nops", "instruction-nop5"])
  func everyRegister(name: String) throws {
    let tape = try RewrittenTape(recording: name)
    let names = tape.names
    for index in 1..<tape.hits.count {
      // What is stepped here (endbr64, lea) writes registers; what comes before the rounds of nop5 is
      // not on the tape.
      guard !["p_add", "p_end", "p_endbr"].contains(names[index - 1]) else { continue }
      for column in 0..<Architecture.x86_64.registerLayout.count where column != Self.ip {
        var changed = tape
        changed.change(hit: index) { hit, _ in hit.registers[column] ^= 0x40 }
        let conclusion = try replay(changed.bytes())
        #expect(kinds(conclusion) == [.wrongStep], "hit \(index), column \(column)")
        #expect(conclusion.divergences.first?.hit == UInt64(index))
      }
    }
  }

  @Test("the word that an emulated push or call pushes is compared")
  func pushedWords() throws {
    for name in ["instruction-push", "instruction-calls"] {
      let tape = try RewrittenTape(recording: name)
      for index in tape.names.indices.dropLast() {
        let isCall = ["p_call", "p_call_register", "p_call_popping"].contains(tape.names[index])
        guard name == "instruction-push" || isCall else { continue }
        var changed = tape
        changed.change(hit: index + 1) { _, window in window[0] ^= 1 }
        let conclusion = try replay(changed.bytes())
        #expect(kinds(conclusion) == [.wrongStep], "\(tape.names[index])")
      }
    }
  }

  @Test("a conditional jump that went the other way is noticed, whichever the condition")
  func otherWay() throws {
    let tape = try RewrittenTape(recording: "instruction-conditions")
    let probes = tape.header.probes
    var tried: Set<String> = []
    for (index, name) in tape.names.enumerated() where name.hasSuffix("_taken") {
      let jump = tape.names[index - 1]
      guard name == jump + "_taken",
        let other = probes.firstIndex(where: { $0.symbol == jump + "_not" })
      else { continue }
      var changed = tape
      changed.change(hit: index) { hit, _ in
        let distance = probes[other].fileOffset &- probes[Int(hit.probe)].fileOffset
        hit.probe = UInt32(other)
        hit.registers[Self.ip] &+= distance
        hit.function = hit.registers[Self.ip]
      }
      let conclusion = try replay(changed.bytes())
      #expect(kinds(conclusion) == [.wrongStep], "\(jump) at \(index)")
      #expect(conclusion.divergences.first?.rule.contains("branch_emulate_op()") == true)
      tried.insert(jump)
    }
    #expect(tried.count == 16)
  }

  @Test("of a stepped instruction, what it does not name is compared, its results are not")
  func steppedRegisters() throws {
    // movq number(%rip), %rax goes through si.
    let tape = try RewrittenTape(recording: "instruction-relative")
    #expect(tape.names[0] == "p_load")
    let rule = try change(tape, hit: 1, column: 4)?.rule
    #expect(rule?.contains("riprel_post_xol()") == true)
    // Its result is not known, and stays until it is exchanged.
    var other = tape
    for hit in 1...8 { other.change(hit: hit) { hit, _ in hit.registers[0] ^= 0x40 } }
    #expect(tape.names[8] == "p_exchange")
    #expect(try replay(other.bytes()).verdict == .match)
    #expect(try change(tape, hit: 8, column: 0) != nil)
    // leaq number(%rip), %rdx, whose result follows from where it is.
    #expect(tape.names[7] == "p_address")
    #expect(try change(tape, hit: 8, column: 3) != nil)
    // addq %rsi, copy(%rip) goes through di.
    #expect(tape.names[2] == "p_store_si")
    #expect(try change(tape, hit: 3, column: 5) != nil)
    // Flags are the result of addq number(%rip), %r14, and lost in the addition that follows.
    #expect(tape.names[5] == "p_extended" && tape.names[6] == "p_number")
    #expect(try change(tape, hit: 6, column: Self.flags) == nil)
  }

  @Test("the trap flag of a step does not stay, that of the program does")
  func trapFlag() throws {
    let stepped = try RewrittenTape(recording: "instruction-stepped")
    // Behind a move, which writes no flag, and an addition, which does.
    #expect(try change(stepped, hit: 1, column: Self.flags, by: Self.trapFlag) != nil)
    #expect(try change(stepped, hit: 2, column: Self.flags, by: Self.trapFlag) != nil)
    let traced = try RewrittenTape(recording: "instruction-trap-flag")
    for hit in 1...5 {
      let found = try change(traced, hit: hit, column: Self.flags, by: Self.trapFlag)
      #expect(found != nil, "behind \(traced.names[hit - 1])")
    }
  }

  @Test("a stepped pushf shows the step's own trap flag, and the model says so")
  func pushf() throws {
    var tape = try RewrittenTape(recording: "instruction-pushf")
    tape.change(hit: 1) { _, window in window[0] &= ~Self.trapFlag }
    let conclusion = try replay(tape.bytes())
    #expect(kinds(conclusion) == [.wrongStep])
  }

  @Test("what is no nop in other kernels is held against their rules")
  func otherEpochs() throws {
    let tape = try RewrittenTape(recording: "instruction-nops")
    for (text, isMatch) in [("model:4.2", true), ("model:6.1", true), ("model:7.2", false)] {
      let handler = try #require(HandlerChoice(text))
      let conclusion = try replay(tape.bytes(), handler: handler)
      #expect((conclusion.verdict == .match) == isMatch, "\(text)")
    }
  }

  @Test("the digest tells divergences apart by what was seen")
  func digest() throws {
    let tape = try RewrittenTape(recording: "instruction-push")
    let digests = try ([0x40, 0x80] as [UInt64]).map { bits in
      var changed = tape
      changed.change(hit: 4) { hit, _ in hit.registers[1] ^= bits }
      return try replay(changed.bytes()).digest
    }
    #expect(digests[0] != digests[1])
    #expect(try replay(tape.bytes()).digest != digests[0])
  }

  @Test("a hit elsewhere is let pass, as a signal's handler may have come first")
  func elsewhere() throws {
    var tape = try RewrittenTape(recording: "instruction-push")
    tape.remove(hit: 5)
    let conclusion = try replay(tape.bytes())
    #expect(conclusion.verdict == .match)
    #expect(conclusion.evidence.steps == 14)
  }

  @Test("nothing is compared after hits were lost")
  func lost() throws {
    var tape = try RewrittenTape(recording: "instruction-push")
    tape.change(hit: 9) { hit, _ in hit.registers[1] ^= 1 }
    tape.insert(.lost(LostHits(count: 1, cpu: 0)), beforeHit: 5)
    let conclusion = try replay(tape.bytes())
    #expect(conclusion.verdict == .unjudged)
    #expect(conclusion.divergences == [])
    #expect(conclusion.evidence.steps == 4)
  }

  @Test("a tape without neighbouring probes is not looked at")
  func noNeighbours() throws {
    for name in ["tail-chain", "recursion", "sqlite3-malloc-free", "many-probes-tree"] {
      let header = try RewrittenTape(recording: name).header
      #expect(SteppingCheck(header: header, rules: UprobeRules(kernel: header.kernel)) == nil)
    }
  }

  @Test("a hit of an instruction that the kernel refuses is held against the model")
  func refused() throws {
    var tape = try RewrittenTape(recording: "instruction-push")
    // hlt
    tape.header.probes[3].originalBytes[0] = 0xf4
    let conclusion = try replay(tape.bytes())
    #expect(conclusion.divergences.first?.kind == .wrongStep)
    #expect(conclusion.divergences.first?.expected.contains("error 524") == true)
    #expect(conclusion.divergences.first?.hit == 3)
  }

  @Test("a hit of a probe whose reference counter the kernel refuses is held against the model")
  func refusedCounter() throws {
    var tape = try RewrittenTape(recording: "usdt-semaphore")
    tape.header.probes[0].referenceCounter += 1
    let conclusion = try replay(tape.bytes())
    #expect(conclusion.divergences.first?.kind == .wrongStep)
    #expect(conclusion.divergences.first?.expected.contains("error 22") == true)
    #expect(tape.names[Int(conclusion.divergences.first?.hit ?? 0)] == "probetape:request")
  }

  /// The divergence after bits of a register of a hit have changed; nil when there is none.
  private func change(
    _ tape: RewrittenTape, hit: Int, column: Int, by bits: UInt64 = 0x40
  ) throws -> Divergence? {
    var changed = tape
    changed.change(hit: hit) { hit, _ in hit.registers[column] ^= bits }
    let divergence = try replay(changed.bytes()).divergences.first
    if let divergence {
      #expect(divergence.kind == .wrongStep && divergence.hit == UInt64(hit))
    }
    return divergence
  }
}
