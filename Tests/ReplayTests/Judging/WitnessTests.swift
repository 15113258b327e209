import ProbeEvents
import ProbetapeTesting
import Replay
import Testing

/// The kernel's own list, held against the handler's instances.
@Suite struct WitnessTests {
  private static let f = WitnessedInstance(
    function: 0x40_1000, stackPointer: 0x7000, originalReturnAddress: 0x40_0010, isChained: false)
  private static let g = WitnessedInstance(
    function: 0x40_1100, stackPointer: 0x7000, originalReturnAddress: 0x40_0010, isChained: true)

  /// f, and g by a tail call from it; the list is read wherever a recorder reads it, and changed by
  /// `change` where the numbered reading is made.
  private func tape(
    release: String = "6.18.0", changing number: Int = -1,
    _ change: (inout Witness) -> Void = { _ in }
  ) throws -> [UInt8] {
    var tape = try TapeBuilder(functions: ["f", "g"], release: release)
    var count = 0
    func read(
      _ moment: Witness.Moment, _ instances: [WitnessedInstance], _ tape: inout TapeBuilder
    ) throws {
      var witness = Witness(
        thread: TapeBuilder.mainThread, moment: moment, depth: UInt32(instances.count),
        instances: instances)
      if count == number { change(&witness) }
      count += 1
      try tape.event(.witness(witness))
    }
    try read(.entry, [], &tape)
    try tape.enter("f", sp: 0x7000, returnAddress: 0x40_0010)
    try read(.entry, [Self.f], &tape)
    try tape.enter("g", sp: 0x7000, returnAddress: TapeBuilder.trampoline)
    try read(.beforeTrampoline, [Self.f, Self.g], &tape)
    try read(.return, [Self.f], &tape)
    try tape.leave("g", sp: 0x7008, to: 0x40_0010)
    try read(.return, [], &tape)
    try tape.leave("f", sp: 0x7008, to: 0x40_0010)
    try read(.afterTrampoline, [], &tape)
    return try tape.finish()
  }

  @Test func `lists that agree are counted`() throws {
    let conclusion = try replay(try tape())
    #expect(conclusion.verdict == .match)
    #expect(conclusion.evidence.witnesses == 6)
  }

  @Test(arguments: ["func", "stack", "orig_ret_vaddr", "chained", "return_instances", "depth"])
  func `a field that differs is named`(field: String) throws {
    let conclusion = try replay(try tape(changing: 2) { Self.change(field, &$0) })
    #expect(kinds(conclusion) == [.witnessMismatch])
    let divergence = try #require(conclusion.divergences.first)
    #expect(divergence.expected.hasPrefix(field + ": "))
    #expect(divergence.actual.hasPrefix(field + ": "))
    #expect(divergence.hit == 2)
  }

  private static func change(_ field: String, _ witness: inout Witness) {
    switch field {
    case "func": witness.instances[0].function += 4
    case "stack": witness.instances[0].stackPointer -= 8
    case "orig_ret_vaddr": witness.instances[1].originalReturnAddress += 1
    case "chained": witness.instances[1].isChained = false
    case "return_instances": witness.instances.removeLast()
    default: witness.depth += 1
    }
  }

  @Test(arguments: 0..<6) func `every moment is judged`(number: Int) throws {
    let stray = WitnessedInstance(
      function: 1, stackPointer: 2, originalReturnAddress: 3, isChained: false)
    let conclusion = try replay(try tape(changing: number) { $0.instances.insert(stray, at: 0) })
    #expect(kinds(conclusion) == [.witnessMismatch])
  }

  // handle_trampoline() of 6.10 sets the list's head only when all handlers have run.
  @Test func `before 6.11 a list that a return handler saw is no evidence`() throws {
    for number in [3, 4] {
      let bytes = try tape(release: "6.10.0", changing: number) { $0.instances = [] }
      #expect(try replay(bytes).verdict == .match)
    }
    let bytes = try tape(release: "6.10.0", changing: 2) { $0.instances = [] }
    #expect(kinds(try replay(bytes)) == [.witnessMismatch])
  }

  @Test func `a task that ran before may hold instances from before`() throws {
    var tape = try TapeBuilder(functions: ["f"])
    try tape.event(.attached(TapeBuilder.mainThread))
    let older = WitnessedInstance(
      function: 0x40_1200, stackPointer: 0x8000, originalReturnAddress: 0x40_0050, isChained: false)
    let thread = TapeBuilder.mainThread
    try tape.event(
      .witness(Witness(thread: thread, moment: .entry, depth: 1, instances: [older])))
    try tape.enter("f", sp: 0x7000, returnAddress: 0x40_0010)
    try tape.event(
      .witness(
        Witness(
          thread: thread, moment: .beforeTrampoline, depth: 2, instances: [older, Self.f])))
    try tape.leave("f", sp: 0x7008, to: 0x40_0010)
    let conclusion = try replay(try tape.finish())
    #expect(conclusion.verdict == .match)
    #expect(conclusion.evidence.witnesses == 2)
  }
}
