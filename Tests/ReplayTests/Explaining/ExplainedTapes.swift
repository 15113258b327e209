import KernelModel
import ProbeEvents
import ProbetapeTesting
import Replay
import TapeFormat
import Testing

/// A tape with a divergence of one class under a handler.
struct ExplainedTape: CustomTestStringConvertible, Sendable {
  var kind: DivergenceClass
  var bytes: [UInt8]
  var handler: HandlerChoice

  var testDescription: String { kind.rawValue }
}

/// A tape for each class of divergence that our model can be found wrong with.
enum ExplainedTapes {
  static let trampoline = TapeBuilder.trampoline

  static func all() throws -> [ExplainedTape] {
    let e2 = HandlerChoice.model(.e2, name: "model:4.2")
    return [
      ExplainedTape(
        kind: .unexpectedReturn, bytes: try droppedByCallAbove(), handler: .modelOfTape),
      ExplainedTape(kind: .missingReturn, bytes: try chainCutShort(), handler: .modelOfTape),
      ExplainedTape(kind: .wrongReturn, bytes: try longjmpToOlderFrame(), handler: e2),
      ExplainedTape(kind: .wrongReturnAddress, bytes: try returnElsewhere(), handler: .modelOfTape),
      ExplainedTape(kind: .chainMismatch, bytes: try tailCallFromNowhere(), handler: .modelOfTape),
      ExplainedTape(kind: .strayTrampolineWord, bytes: try strayWord(), handler: .modelOfTape),
      ExplainedTape(kind: .witnessMismatch, bytes: try anotherList(), handler: .modelOfTape),
      ExplainedTape(kind: .lostTrampolineWord, bytes: try lostWord(), handler: .modelOfTape),
      ExplainedTape(kind: .wrongStep, bytes: try anotherStep(), handler: .modelOfTape),
      ExplainedTape(
        kind: .unexpectedSignal, bytes: try coroutineThrownAway(exit: .killed(4)), handler: e2),
      ExplainedTape(
        kind: .wrongSignal, bytes: try signalAtTrampoline(5, exit: .killed(5)),
        handler: .modelOfTape),
      ExplainedTape(
        kind: .wrongExit, bytes: try coroutineThrownAway(exit: .exited(0)), handler: .modelOfTape),
    ]
  }

  /// f is left by a jump to g's caller, so that g is entered above it; then f returns all the same.
  static func droppedByCallAbove() throws -> [UInt8] {
    var tape = try TapeBuilder(functions: ["f", "g"])
    try tape.enter("f", sp: 0x7000, returnAddress: 0x40_0010)
    try tape.enter("g", sp: 0x7100, returnAddress: 0x40_0020)
    try tape.leave("g", sp: 0x7108, to: 0x40_0020)
    try tape.leave("f", sp: 0x7008, to: 0x40_0010)
    return try tape.finish()
  }

  static func chainCutShort() throws -> [UInt8] {
    var tape = try TapeBuilder(functions: ["f", "t", "x"])
    try tape.enter("f", sp: 0x7000, returnAddress: 0x40_0010)
    try tape.enter("t", sp: 0x7000, returnAddress: trampoline)
    try tape.leave("t", sp: 0x7008, to: 0x40_0010)
    try tape.enter("x", sp: 0x7000, returnAddress: 0x40_0040)
    return try tape.finish()
  }

  static func longjmpToOlderFrame() throws -> [UInt8] {
    var tape = try TapeBuilder(functions: ["outer", "c", "d"])
    try tape.enter("outer", sp: 0x7100, returnAddress: 0x40_0010)
    try tape.enter("c", sp: 0x70C0, returnAddress: 0x40_0020)
    try tape.enter("d", sp: 0x7080, returnAddress: 0x40_0030)
    try tape.leave("outer", sp: 0x7108, to: 0x40_0010)
    return try tape.finish()
  }

  static func returnElsewhere() throws -> [UInt8] {
    var tape = try TapeBuilder(functions: ["f"])
    try tape.enter("f", sp: 0x7000, returnAddress: 0x40_0010)
    try tape.leave("f", sp: 0x7008, to: 0x40_0011)
    return try tape.finish()
  }

  static func tailCallFromNowhere() throws -> [UInt8] {
    var tape = try TapeBuilder(functions: ["f", "e"], entryOnly: ["e"])
    try tape.enter("f", sp: 0x7000, returnAddress: 0x40_0010)
    try tape.enter("e", sp: 0x6F00, returnAddress: trampoline)
    return try tape.finish()
  }

  static func strayWord() throws -> [UInt8] {
    var tape = try TapeBuilder(functions: ["f", "e"], entryOnly: ["e"])
    try tape.enter("e", sp: 0x7010, returnAddress: 0x40_0020)
    try tape.enter("f", sp: 0x7000, returnAddress: 0x40_0010)
    return try tape.finish()
  }

  /// A live recording in which a register differs after an emulated push.
  static func anotherStep() throws -> [UInt8] {
    var tape = try RewrittenTape(recording: "instruction-push")
    tape.change(hit: 1) { hit, _ in hit.registers[2] ^= 0x40 }
    return try tape.bytes()
  }

  static func anotherList() throws -> [UInt8] {
    var tape = try TapeBuilder(functions: ["f", "g"])
    try tape.enter("f", sp: 0x7010, returnAddress: 0x40_0010)
    let seen = WitnessedInstance(
      function: tape.address(of: "f"), stackPointer: 0x7018, originalReturnAddress: 0x40_0010,
      isChained: false)
    try tape.event(
      .witness(
        Witness(thread: TapeBuilder.mainThread, moment: .entry, depth: 1, instances: [seen])))
    try tape.enter("g", sp: 0x7000, returnAddress: 0x40_0020)
    return try tape.finish()
  }

  static func lostWord() throws -> [UInt8] {
    var tape = try TapeBuilder(functions: ["f", "g"])
    try tape.enter("f", sp: 0x7010, returnAddress: 0x40_0010)
    tape.set(word: 0x1234, at: 0x7010)
    try tape.enter("g", sp: 0x7000, returnAddress: 0x40_0020)
    try tape.leave("g", sp: 0x7008, to: 0x40_0020)
    try tape.leave("f", sp: 0x7018, to: 0x40_0010)
    return try tape.finish()
  }

  static func signalAtTrampoline(_ number: Int32, exit: TargetExit) throws -> [UInt8] {
    var tape = try TapeBuilder(functions: ["f"])
    try tape.enter("f", sp: 0x7000, returnAddress: 0x40_0010)
    try tape.leave("f", sp: 0x7008, to: 0x40_0010)
    try tape.event(
      .signal(
        SignalDelivery(
          thread: TapeBuilder.mainThread, number: number, code: 128, isHandled: false,
          instructionPointer: trampoline + 13, stackPointer: 0x7008)))
    return try tape.finish(exit)
  }

  /// A lawful tape, on which a foreign handler is said to have failed at its second hit.
  static func nested() throws -> [UInt8] {
    var tape = try TapeBuilder(functions: ["f", "g"])
    try tape.enter("f", sp: 0x7000, returnAddress: 0x40_0010)
    try tape.enter("g", sp: 0x6FC0, returnAddress: 0x40_0020)
    try tape.leave("g", sp: 0x6FC8, to: 0x40_0020)
    try tape.leave("f", sp: 0x7008, to: 0x40_0010)
    return try tape.finish()
  }

  static func foreign(_ kind: DivergenceClass) -> Divergence {
    Divergence(
      hit: 1, thread: TapeBuilder.mainThread, kind: kind, expected: "a thing", actual: "another",
      rule: "a rule")
  }
}
