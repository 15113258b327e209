import ProbeEvents
import ProbetapeTesting
import Replay
import TapeFormat
import Testing

/// What a tape lacks makes the verdict unjudged, never a match and never a divergence.
@Suite struct UnjudgedTests {
  @Test func `lost hits make what follows unjudged`() throws {
    var tape = try TapeBuilder(functions: ["f"])
    try tape.event(.lost(LostHits(count: 3, cpu: 1)))
    // Without the loss this return would be a divergence.
    try tape.leave("f", sp: 0x7008, to: 0x40_0010)
    let conclusion = try replay(try tape.finish())
    #expect(conclusion.verdict == .unjudged)
    #expect(conclusion.lost == 3)
    #expect(conclusion.reason?.contains("dropped 3 records") == true)
  }

  @Test func `a divergence before a loss stands`() throws {
    var tape = try TapeBuilder(functions: ["f"])
    try tape.leave("f", sp: 0x7008, to: 0x40_0010)
    try tape.event(.lost(LostHits(count: 3, cpu: 1)))
    #expect(try replay(try tape.finish()).verdict == .diverged)
  }

  @Test func `losses known only at the end make the tape unjudged`() throws {
    var tape = try TapeBuilder(functions: ["f"])
    try tape.enter("f", sp: 0x7000, returnAddress: 0x40_0010)
    #expect(try replay(try tape.finish(lost: 1)).verdict == .unjudged)
  }

  @Test func `a tape without trailer is incomplete`() throws {
    var tape = try TapeBuilder(functions: ["f"])
    try tape.enter("f", sp: 0x7000, returnAddress: 0x40_0010)
    let conclusion = try replay(try tape.abandon())
    #expect(conclusion.verdict == .unjudged)
    #expect(conclusion.reason?.contains("incomplete") == true)
    #expect(conclusion.entries == 1)
  }

  @Test func `a tape without hits judges nothing`() throws {
    var tape = try TapeBuilder(functions: ["f"])
    #expect(try replay(try tape.finish()).verdict == .unjudged)
  }

  @Test func `a damaged block makes the rest unjudged and keeps counting`() throws {
    var tape = try TapeBuilder(functions: ["f"])
    for _ in 0..<3 {
      try tape.enter("f", sp: 0x7000, returnAddress: 0x40_0010)
      try tape.leave("f", sp: 0x7008, to: 0x40_0010)
      try tape.endBlock()
    }
    var bytes = try tape.finish()
    bytes[bytes.count / 2] ^= 0x10
    let conclusion = try replay(bytes)
    #expect(conclusion.verdict == .unjudged)
    #expect(conclusion.hits < 6)
    #expect(conclusion.hits >= 2)
  }

  @Test func `an x86-64 tape without stack words cannot be judged`() throws {
    var tape = try TapeBuilder(functions: ["f"], windowWords: 0)
    try tape.enter("f", sp: 0x7000, returnAddress: 0x40_0010)
    let conclusion = try replay(try tape.finish())
    #expect(conclusion.verdict == .unjudged)
    #expect(conclusion.reason?.contains("stack word") == true)
  }

  @Test func `a running task may return from calls entered before recording began`() throws {
    var tape = try TapeBuilder(functions: ["f", "g"])
    try tape.event(.attached(TapeBuilder.mainThread))
    try tape.enter("g", sp: 0x6F00, returnAddress: 0x40_0020)
    try tape.leave("g", sp: 0x6F08, to: 0x40_0020)
    try tape.leave("f", sp: 0x7008, to: 0x40_0010)
    let conclusion = try replay(try tape.finish())
    #expect(conclusion.verdict == .match)
    #expect(conclusion.evidence.returnsOfUnseenEntries == 1)
  }

  /// Calls of one chain of tail calls, of which the kernel let only the first ones return.
  private func chain(of count: Int, returning: Int, _ tape: inout TapeBuilder) throws {
    for place in 0..<count {
      try tape.enter(
        "f", sp: 0x7000, returnAddress: place == 0 ? 0x40_0010 : TapeBuilder.trampoline)
    }
    for _ in 0..<returning { try tape.leave("f", sp: 0x7008, to: 0x40_0010) }
  }

  // Seen live: five calls from before recording began made the kernel stop five calls earlier.
  @Test func `where older instances may have used up the limit nothing is judged`() throws {
    var tape = try TapeBuilder(functions: ["f"])
    try tape.event(.attached(TapeBuilder.mainThread))
    try chain(of: 31, returning: 26, &tape)
    let conclusion = try replay(try tape.finish())
    #expect(conclusion.verdict == .unjudged)
    #expect(conclusion.reason?.contains("before recording began") == true)
  }

  // Seen live, with seven instances from before: the deepest calls of a recursion had none, and look
  // as if a jump had left them.
  @Test func `returns of a recursion prove a depth only by their stack pointers`() throws {
    var tape = try TapeBuilder(functions: ["f"])
    try tape.event(.attached(TapeBuilder.mainThread))
    let slots = (0..<64).map { 0x9000 - UInt64($0) * 0x10 }
    for slot in slots { try tape.enter("f", sp: slot, returnAddress: 0x40_0010) }
    for slot in slots.prefix(57).reversed() { try tape.leave("f", sp: slot + 8, to: 0x40_0010) }
    try chain(of: 60, returning: 57, &tape)
    #expect(try replay(try tape.finish()).verdict == .unjudged)
  }

  @Test func `up to a depth that was reached before, a missing return is a divergence`() throws {
    var tape = try TapeBuilder(functions: ["f"])
    try tape.event(.attached(TapeBuilder.mainThread))
    try chain(of: 31, returning: 31, &tape)
    try chain(of: 1, returning: 1, &tape)
    try chain(of: 31, returning: 26, &tape)
    #expect(kinds(try replay(try tape.finish())) == [.missingReturn])
  }

  @Test func `a program that was executed before the tape is whole may hold instances`() throws {
    var tape = try TapeBuilder(functions: ["f"], wholeFrom: 1_150)
    try tape.event(.exec(TapeBuilder.mainThread, "other"))
    try tape.enter("f", sp: 0x7000, returnAddress: 0x40_0010)
    try tape.enter("f", sp: 0x6F00, returnAddress: 0x40_0010)
    try tape.leave("f", sp: 0x6F08, to: 0x40_0010)
    try tape.leave("f", sp: 0x7008, to: 0x40_0010)
    let conclusion = try replay(try tape.finish())
    #expect(conclusion.verdict == .match)
  }

  @Test func `hits before the tape is whole are not held against the handler`() throws {
    var tape = try TapeBuilder(functions: ["f"], wholeFrom: 1_150)
    try tape.event(.attached(TapeBuilder.mainThread))
    try tape.leave("f", sp: 0x7008, to: 0x40_0010)
    try tape.enter("f", sp: 0x7000, returnAddress: 0x40_0010)
    try tape.leave("f", sp: 0x7008, to: 0x40_0010)
    let conclusion = try replay(try tape.finish())
    #expect(conclusion.verdict == .match)
    #expect(conclusion.evidence.returns == 1)
    #expect(conclusion.returns == 2)
  }
}
