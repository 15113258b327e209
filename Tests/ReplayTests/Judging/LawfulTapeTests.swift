import KernelModel
import ProbeEvents
import ProbetapeTesting
import Replay
import TapeFormat
import Testing

/// Tapes as the live kernel makes them (6.18, observed) match; the same tapes under the rules of
/// kernels that behave otherwise do not.
@Suite struct LawfulTapeTests {
  @Test func `a call and its return match`() throws {
    var tape = try TapeBuilder(functions: ["f"])
    try tape.enter("f", sp: 0x7000, returnAddress: 0x40_0010)
    try tape.leave("f", sp: 0x7008, to: 0x40_0010)
    let conclusion = try replay(try tape.finish())
    #expect(conclusion.verdict == .match)
    #expect(conclusion.reason == nil)
    #expect(conclusion.evidence.returns == 1)
    #expect(conclusion.returnsExpected == 1)
  }

  @Test(arguments: [1, 4, 8, 9, 20])
  func `all trampolines in windows are counted`(words: Int) throws {
    let output = MemoryTapeOutput()
    var tape = SyntheticTape(
      SyntheticTape.Parameters(seed: UInt64(words), hits: 20_000, windowWords: words))
    var writer = try TapeWriter(header: tape.header, output: output)
    try tape.write(to: &writer)
    var reader = try TapeReader(bytes: output.bytes)
    var columns = HitColumns()
    var trampoline: Address = 0
    var count = 0
    while case .block = try reader.next(into: &columns, selecting: .judged) {
      for side in columns.sideEvents {
        if case .mapping(let mapping) = side.event.event { trampoline = mapping.start }
      }
      for hit in 0..<columns.count {
        let window = Int(columns.windowStarts[hit])..<Int(columns.windowStarts[hit + 1])
        // An entry's own slot is set only after its sample was taken.
        let seen = window.dropFirst(columns.kinds[hit] == .entry ? 1 : 0)
        count += seen.count { columns.windowWords[$0] == trampoline }
      }
    }
    let conclusion = try replay(output.bytes)
    #expect(conclusion.verdict == .match)
    #expect(conclusion.evidence.trampolineWords == UInt64(count))
    #expect(count > 0)
  }

  @Test func `three tail calls return newest first through one slot`() throws {
    var tape = try TapeBuilder(functions: ["caller", "t1", "t2", "t3"])
    try tape.enter("caller", sp: 0x7100, returnAddress: 0x40_0010)
    try tape.enter("t1", sp: 0x70F0, returnAddress: 0x40_1009)
    try tape.enter("t2", sp: 0x70F0, returnAddress: TapeBuilder.trampoline)
    try tape.enter("t3", sp: 0x70F0, returnAddress: TapeBuilder.trampoline)
    for function in ["t3", "t2", "t1"] { try tape.leave(function, sp: 0x70F8, to: 0x40_1009) }
    try tape.leave("caller", sp: 0x7108, to: 0x40_0010)
    let conclusion = try replay(try tape.finish())
    #expect(conclusion.verdict == .match)
    #expect(conclusion.evidence.returns == 4)
  }

  @Test func `after a longjmp the older frame returns and the dead ones do not`() throws {
    let bytes = try longjmpToOlderFrame()
    #expect(try replay(bytes).verdict == .match)
    // Before 4.3 the inner call's handlers ran instead.
    let old = try replay(bytes, handler: .model(.e2, name: "model:E2"))
    #expect(kinds(old) == [.wrongReturn])
  }

  @Test func `64 stale frames block the returns of later calls`() throws {
    var tape = try TapeBuilder(functions: ["j", "x"])
    for index in 0..<80 {
      try tape.enter(
        "j", sp: 0x9000 - UInt64(index) * 16, returnAddress: 0x40_0010, isHijacked: index < 64)
    }
    try tape.enter("x", sp: 0xA000, returnAddress: 0x40_0020, isHijacked: false)
    try tape.enter("x", sp: 0xA000, returnAddress: 0x40_0030, isHijacked: false)
    let conclusion = try replay(try tape.finish())
    #expect(conclusion.verdict == .match)
    #expect(conclusion.returnsExpected == 0)
  }

  @Test func `a coroutine on a lower stack is thrown away and dies of SIGILL`() throws {
    let bytes = try coroutineThrownAway(exit: .killed(4))
    let conclusion = try replay(bytes)
    #expect(conclusion.verdict == .match)
    #expect(conclusion.evidence.signals == 1)
    // 4.2 and older sent SIGTRAP, and had no liveness test: the coroutine would have returned.
    let old = try replay(bytes, handler: .model(.e2, name: "model:E2"))
    #expect(kinds(old) == [.unexpectedSignal])
  }

  @Test func `both sides of a fork return from the frames before it`() throws {
    let child = ThreadIdentity(process: 200, thread: 200)
    var tape = try TapeBuilder(functions: ["f"])
    try tape.enter("f", sp: 0x7000, returnAddress: 0x40_0010)
    try tape.event(
      .fork(TaskFork(parent: TapeBuilder.mainThread, child: child, cloneFlags: 0x1200011)))
    try tape.leave("f", sp: 0x7008, to: 0x40_0010, thread: child)
    try tape.leave("f", sp: 0x7008, to: 0x40_0010)
    let bytes = try tape.finish()
    #expect(try replay(bytes).verdict == .match)
    // Before 3.13 a child had no instances.
    let old = try replay(bytes, handler: .model(.e1, name: "model:E1"))
    #expect(kinds(old) == [.unexpectedReturn])
  }

  @Test func `a new thread starts without instances`() throws {
    let child = ThreadIdentity(process: 100, thread: 101)
    var tape = try TapeBuilder(functions: ["f", "g"])
    try tape.enter("f", sp: 0x7000, returnAddress: 0x40_0010)
    try tape.event(
      .fork(TaskFork(parent: TapeBuilder.mainThread, child: child, cloneFlags: 0x3D0F00)))
    try tape.enter("g", sp: 0x9000, returnAddress: 0x40_0020, thread: child)
    try tape.leave("g", sp: 0x9008, to: 0x40_0020, thread: child)
    try tape.leave("f", sp: 0x7008, to: 0x40_0010)
    #expect(try replay(try tape.finish()).verdict == .match)
  }

  @Test func `exec frees the instances and the trampoline`() throws {
    var tape = try TapeBuilder(functions: ["f", "g"])
    try tape.enter("f", sp: 0x7000, returnAddress: 0x40_0010)
    try tape.event(.exec(TapeBuilder.mainThread, "other"))
    try tape.enter("g", sp: 0x7000, returnAddress: 0x40_0020)
    try tape.event(.mapping(TapeBuilder.uprobes(of: 100)))
    try tape.leave("g", sp: 0x7008, to: 0x40_0020)
    #expect(try replay(try tape.finish()).verdict == .match)
  }

  @Test func `arm64 takes the return address from the link register`() throws {
    var tape = try TapeBuilder(functions: ["f", "t"], release: "6.12.0", architecture: .aarch64)
    try tape.enter("f", sp: 0x7000, returnAddress: 0x40_0010)
    try tape.enter("t", sp: 0x7000, returnAddress: TapeBuilder.trampoline)
    try tape.leave("t", sp: 0x7000, to: 0x40_0010)
    try tape.leave("f", sp: 0x7000, to: 0x40_0010)
    #expect(try replay(try tape.finish()).verdict == .match)
  }

  @Test func `a trampoline that no mapping names is inferred from a replaced return address`()
    throws
  {
    var tape = try TapeBuilder(functions: ["f", "t"], withTrampoline: false)
    try tape.enter("f", sp: 0x7000, returnAddress: 0x40_0010)
    try tape.enter("t", sp: 0x7000, returnAddress: TapeBuilder.trampoline)
    try tape.leave("t", sp: 0x7008, to: 0x40_0010)
    try tape.leave("f", sp: 0x7008, to: 0x40_0010)
    #expect(try replay(try tape.finish()).verdict == .match)
  }

  private func longjmpToOlderFrame() throws -> [UInt8] {
    var tape = try TapeBuilder(functions: ["outer", "c", "d"])
    try tape.enter("outer", sp: 0x7100, returnAddress: 0x40_0010)
    try tape.enter("c", sp: 0x70C0, returnAddress: 0x40_0020)
    try tape.enter("d", sp: 0x7080, returnAddress: 0x40_0030)
    try tape.leave("outer", sp: 0x7108, to: 0x40_0010)
    return try tape.finish()
  }
}

/// A coroutine on a low stack is pending while a probed call on the main stack throws its instance
/// away (observed on 6.18: SIGILL, `si_code` 128, 13 bytes into the trampoline).
func coroutineThrownAway(exit: TargetExit) throws -> [UInt8] {
  var tape = try TapeBuilder(functions: ["co", "x"])
  try tape.enter("co", sp: 0x5000, returnAddress: 0x40_0010)
  try tape.enter("x", sp: 0x7000, returnAddress: 0x40_0020)
  try tape.leave("x", sp: 0x7008, to: 0x40_0020)
  try tape.event(
    .signal(
      SignalDelivery(
        thread: TapeBuilder.mainThread, number: 4, code: 128, isHandled: false,
        instructionPointer: TapeBuilder.trampoline + 13, stackPointer: 0x5008)))
  return try tape.finish(exit)
}
