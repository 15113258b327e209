import ProbeEvents
import TapeFormat
import Testing

@testable import Replay

/// Instructions whose effect is known to the last bit: each register and each word they are about, as
/// live recordings have them, and each of them changed, which must be noticed where it was changed.
@Suite("Stepping: exact effects")
struct ExactStepTests {
  static let layout = Architecture.x86_64.registerLayout

  private func firstDivergence(
    _ tape: RewrittenTape, hit: Int, _ body: (inout Hit, inout [UInt64]) -> Void
  ) throws -> Divergence? {
    var changed = tape
    changed.change(hit: hit, body)
    return try replay(changed.bytes()).divergences.first
  }

  @Test("moves, addresses, sums and what goes through the stack leave known registers")
  func registers() throws {
    let tape = try RewrittenTape(recording: "instruction-moves")
    let names = tape.names
    #expect(names.count == 20)
    // Between the exchange and the jump are instructions without probes.
    for index in 1..<names.count where names[index - 1] != "p_exchange" {
      // The flags of a sum are not worked out.
      let isSum = ["p_room", "p_add", "p_subtract"].contains(names[index - 1])
      for column in 0..<Self.layout.count where column != Self.layout.instructionPointer {
        if isSum && column == 9 { continue }
        let found = try firstDivergence(tape, hit: index) { hit, _ in
          hit.registers[column] ^= 0x40
        }
        #expect(found?.kind == .wrongStep, "\(names[index - 1]): \(Self.layout.names[column])")
        #expect(found?.hit == UInt64(index))
      }
    }
  }

  @Test("stored and pushed words are compared where the next window has them")
  func words() throws {
    let tape = try RewrittenTape(recording: "instruction-moves")
    for (name, word) in [("p_store", 1), ("p_call_stack", 0), ("p_push_stack", 0)] {
      let index = try #require(tape.names.firstIndex(of: name))
      let found = try firstDivergence(tape, hit: index + 1) { _, window in window[word] ^= 1 }
      #expect(found?.kind == .wrongStep && found?.hit == UInt64(index + 1), "\(name)")
    }
  }

  @Test("a call and a jump through the stack go where the word there says")
  func targets() throws {
    let tape = try RewrittenTape(recording: "instruction-moves")
    for name in ["p_call_stack", "p_jump_stack", "p_callee_ret"] {
      let index = try #require(tape.names.firstIndex(of: name))
      // With another word the model goes elsewhere, and nothing is compared.
      var changed = tape
      changed.change(hit: index) { _, window in
        window[name == "p_callee_ret" ? 0 : name == "p_call_stack" ? 1 : 2] ^= 1 << 20
      }
      let conclusion = try replay(changed.bytes())
      #expect(conclusion.evidence.steps < 18, "\(name)")
    }
  }

  @Test("behind a system call's step all but its results are compared")
  func systemCall() throws {
    let tape = try RewrittenTape(recording: "instruction-syscall")
    let index = try #require(tape.names.firstIndex(of: "p_after"))
    #expect(tape.names[index - 1] == "p_syscall")
    for column in 0..<Self.layout.count where column != Self.layout.instructionPointer {
      let isResult = ["ax", "cx", "r11", "flags"].contains(Self.layout.names[column])
      // In both hits, so that the nop between them has nothing to say.
      var changed = tape
      for hit in [index, index + 1] {
        changed.change(hit: hit) { hit, _ in hit.registers[column] ^= 0x40 }
      }
      let divergences = try replay(changed.bytes()).divergences
      #expect(divergences.isEmpty == isResult, "\(Self.layout.names[column])")
      if !isResult { #expect(divergences.first?.hit == UInt64(index)) }
    }
    // The flags are those of the program, so the step's must be gone.
    let trap = try firstDivergence(tape, hit: index) { hit, _ in hit.registers[9] |= 0x100 }
    #expect(trap?.hit == UInt64(index))
  }

  @Test("in a 32-bit program emulated instructions change what they are about and nothing else")
  func compat() throws {
    let tape = try RewrittenTape(recording: "instruction-compat")
    let emulated = ["p_nop", "p_push", "p_push_sp", "p_call", "p_taken", "p_not_taken", "p_jump"]
    for name in emulated {
      let index = try #require(tape.names.firstIndex(of: name)) + 1
      #expect(tape.hits[index].flags.contains(.compat))
      for column in 0..<Self.layout.count where column != Self.layout.instructionPointer {
        let found = try firstDivergence(tape, hit: index) { hit, _ in
          hit.registers[column] ^= 0x40
        }
        #expect(found?.kind == .wrongStep && found?.hit == UInt64(index), "\(name) \(column)")
      }
    }
    // Four bytes are pushed, and the word above them is another.
    for name in ["p_push", "p_push_sp", "p_call"] {
      let index = try #require(tape.names.firstIndex(of: name)) + 1
      let low = try firstDivergence(tape, hit: index) { _, window in window[0] ^= 1 }
      #expect(low?.kind == .wrongStep && low?.hit == UInt64(index), "\(name)")
    }
    let pushed = try #require(tape.names.firstIndex(of: "p_push")) + 1
    #expect(
      try firstDivergence(tape, hit: pushed) { _, window in window[0] ^= 1 << 32 } == nil)
  }
}
