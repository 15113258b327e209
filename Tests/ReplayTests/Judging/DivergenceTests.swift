import ProbeEvents
import ProbetapeTesting
import Replay
import TapeFormat
import Testing

/// One tape for each class of divergence: a tape that no kernel would have made, each wrong in one
/// place, with what must be said about it.
@Suite struct DivergenceTests {
  @Test func `a return nobody entered is unexpected`() throws {
    var tape = try TapeBuilder(functions: ["f", "g"])
    try tape.enter("f", sp: 0x7000, returnAddress: 0x40_0010)
    try tape.leave("f", sp: 0x7008, to: 0x40_0010)
    try tape.leave("g", sp: 0x7008, to: 0x40_0010)
    let conclusion = try replay(try tape.finish())
    #expect(conclusion.verdict == .diverged)
    #expect(kinds(conclusion) == [.unexpectedReturn])
    #expect(conclusion.divergences.first?.hit == 2)
    #expect(conclusion.divergences.first?.thread == TapeBuilder.mainThread)
  }

  @Test func `a chain that returns only once misses a return`() throws {
    var tape = try TapeBuilder(functions: ["f", "t", "x"])
    try tape.enter("f", sp: 0x7000, returnAddress: 0x40_0010)
    try tape.enter("t", sp: 0x7000, returnAddress: TapeBuilder.trampoline)
    try tape.leave("t", sp: 0x7008, to: 0x40_0010)
    try tape.enter("x", sp: 0x7000, returnAddress: 0x40_0040)
    let conclusion = try replay(try tape.finish())
    #expect(kinds(conclusion) == [.missingReturn])
    #expect(conclusion.divergences.first?.expected.contains("f (entered at hit 0)") == true)
  }

  @Test func `a chain cut off by the end of the tape misses a return`() throws {
    var tape = try TapeBuilder(functions: ["f", "t"])
    try tape.enter("f", sp: 0x7000, returnAddress: 0x40_0010)
    try tape.enter("t", sp: 0x7000, returnAddress: TapeBuilder.trampoline)
    try tape.leave("t", sp: 0x7008, to: 0x40_0010)
    #expect(kinds(try replay(try tape.finish())) == [.missingReturn])
  }

  @Test func `handlers in the wrong order are a wrong return`() throws {
    var tape = try TapeBuilder(functions: ["f", "t"])
    try tape.enter("f", sp: 0x7000, returnAddress: 0x40_0010)
    try tape.enter("t", sp: 0x7000, returnAddress: TapeBuilder.trampoline)
    try tape.leave("f", sp: 0x7008, to: 0x40_0010)
    try tape.leave("t", sp: 0x7008, to: 0x40_0010)
    let conclusion = try replay(try tape.finish())
    #expect(kinds(conclusion) == [.wrongReturn])
    #expect(conclusion.divergences.first?.hit == 2)
  }

  @Test func `a return to another address than the call's is wrong`() throws {
    var tape = try TapeBuilder(functions: ["f"])
    try tape.enter("f", sp: 0x7000, returnAddress: 0x40_0010)
    try tape.leave("f", sp: 0x7008, to: 0x40_0011)
    #expect(kinds(try replay(try tape.finish())) == [.wrongReturnAddress])
  }

  @Test func `an entry-only probe whose return address is the trampoline needs an instance there`()
    throws
  {
    var tape = try TapeBuilder(functions: ["f", "e"], entryOnly: ["e"])
    try tape.enter("f", sp: 0x7000, returnAddress: 0x40_0010)
    try tape.enter("e", sp: 0x6F00, returnAddress: TapeBuilder.trampoline)
    #expect(kinds(try replay(try tape.finish())) == [.chainMismatch])
  }

  @Test func `an entry-only probe reached by a tail call matches`() throws {
    var tape = try TapeBuilder(functions: ["f", "e"], entryOnly: ["e"])
    try tape.enter("f", sp: 0x7000, returnAddress: 0x40_0010)
    try tape.enter("e", sp: 0x7000, returnAddress: TapeBuilder.trampoline)
    try tape.leave("f", sp: 0x7008, to: 0x40_0010)
    #expect(try replay(try tape.finish()).verdict == .match)
  }

  @Test func `a trampoline address in the slot of a call without instance is stray`() throws {
    var tape = try TapeBuilder(functions: ["f", "e"], entryOnly: ["e"])
    try tape.enter("e", sp: 0x7010, returnAddress: 0x40_0020, isHijacked: true)
    try tape.enter("f", sp: 0x7000, returnAddress: 0x40_0010)
    let conclusion = try replay(try tape.finish())
    #expect(kinds(conclusion) == [.strayTrampolineWord])
    #expect(conclusion.divergences.first?.expected.contains("0x7010") == true)
  }

  // As unwinders do, which keep the return addresses that they have found on their own stack.
  @Test func `a trampoline address that the program copied is no divergence`() throws {
    var tape = try TapeBuilder(functions: ["f"])
    tape.set(word: TapeBuilder.trampoline, at: 0x7010)
    try tape.enter("f", sp: 0x7000, returnAddress: 0x40_0010)
    let conclusion = try replay(try tape.finish())
    #expect(conclusion.verdict == .match)
    #expect(conclusion.evidence.copiedWords == 1)
  }

  @Test func `a trampoline address left behind by a returned call is explained`() throws {
    var tape = try TapeBuilder(functions: ["f", "g"])
    try tape.enter("f", sp: 0x7000, returnAddress: 0x40_0010)
    try tape.leave("f", sp: 0x7008, to: 0x40_0010)
    try tape.enter("g", sp: 0x6FE0, returnAddress: 0x40_0020)
    let conclusion = try replay(try tape.finish())
    #expect(conclusion.verdict == .match)
    #expect(conclusion.evidence.trampolineWords == 1)
  }

  @Test func `a call cannot return through a slot that lost the trampoline`() throws {
    var tape = try TapeBuilder(functions: ["f", "g"])
    try tape.enter("f", sp: 0x7010, returnAddress: 0x40_0010)
    tape.set(word: 0x1234, at: 0x7010)
    try tape.enter("g", sp: 0x7000, returnAddress: 0x40_0020)
    try tape.leave("g", sp: 0x7008, to: 0x40_0020)
    try tape.leave("f", sp: 0x7018, to: 0x40_0010)
    let conclusion = try replay(try tape.finish())
    #expect(kinds(conclusion) == [.lostTrampolineWord])
    #expect(conclusion.divergences.first?.hit == 3)
  }

  @Test func `a signal at the trampoline while an instance is left is unexpected`() throws {
    var tape = try TapeBuilder(functions: ["f"])
    try tape.enter("f", sp: 0x7000, returnAddress: 0x40_0010)
    try tape.event(signal(4))
    let conclusion = try replay(try tape.finish(.killed(4)))
    #expect(kinds(conclusion) == [.unexpectedSignal])
  }

  @Test func `SIGTRAP where the kernel forces SIGILL is the wrong signal`() throws {
    var tape = try TapeBuilder(functions: ["f"])
    try tape.enter("f", sp: 0x7000, returnAddress: 0x40_0010)
    try tape.leave("f", sp: 0x7008, to: 0x40_0010)
    try tape.event(signal(5))
    let conclusion = try replay(try tape.finish(.killed(5)))
    #expect(kinds(conclusion) == [.wrongSignal])
  }

  @Test func `a target that survives an unhandled SIGILL ended wrongly`() throws {
    let conclusion = try replay(try coroutineThrownAway(exit: .exited(0)))
    #expect(kinds(conclusion) == [.wrongExit])
  }

  @Test func `a divergence in one thread does not hide the other threads`() throws {
    let other = ThreadIdentity(process: 100, thread: 101)
    var tape = try TapeBuilder(functions: ["f"])
    try tape.event(
      .fork(TaskFork(parent: TapeBuilder.mainThread, child: other, cloneFlags: 0x3D0F00)))
    try tape.leave("f", sp: 0x7008, to: 0x40_0010)
    try tape.enter("f", sp: 0x9000, returnAddress: 0x40_0010, thread: other)
    try tape.leave("f", sp: 0x9008, to: 0x40_0010, thread: other)
    try tape.leave("f", sp: 0x9008, to: 0x40_0010, thread: other)
    let conclusion = try replay(try tape.finish())
    #expect(conclusion.divergences.map(\.thread) == [TapeBuilder.mainThread, other])
    #expect(conclusion.evidence.returns == 1)
  }

  private func signal(_ number: Int32) -> SideEvent {
    .signal(
      SignalDelivery(
        thread: TapeBuilder.mainThread, number: number, code: 128, isHandled: false,
        instructionPointer: TapeBuilder.trampoline + 13, stackPointer: 0x7008))
  }
}
