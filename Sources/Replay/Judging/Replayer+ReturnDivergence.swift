import ProbeEvents

/// What a return on the tape shows.
struct SeenReturn {
  var probe: UInt32
  var function: Address
  var address: Address

  /// Whether it is a return of an instance's call.
  @inline(__always)
  func isOfSameCall(as instance: PoppedInstance) -> Bool {
    function == instance.function && probe == EntryNumber.probe(instance.entry)
  }

  /// Whether it is what the instance's call must show when it returns.
  @inline(__always)
  func answers(_ instance: PoppedInstance) -> Bool {
    isOfSameCall(as: instance) && address == instance.originalReturnAddress
  }
}

/// The ways in which a return can contradict the handler. Apart from the judging, so that making
/// their texts takes no room in it.
extension Replayer where Handler: ~Copyable {
  @inline(never)
  mutating func diverge(
    _ task: JudgedTask, at seen: SeenReturn, insteadOfSignal number: Int32
  ) {
    diverge(
      task, .unexpectedReturn, expected: "signal \(number), as no return instance is left",
      actual: describe(seen), rule: Rule.noInstance)
  }

  @inline(never)
  mutating func divergeAtUnexpected(_ task: JudgedTask, _ seen: SeenReturn) {
    diverge(
      task, .unexpectedReturn, expected: "no return handler to run", actual: describe(seen),
      rule: Rule.trampoline)
  }

  @inline(never)
  mutating func diverge(
    _ task: JudgedTask, at seen: SeenReturn, insteadOfContinuingAt address: Address
  ) {
    diverge(
      task, .wrongReturnAddress, expected: "the task to continue at \(hexadecimal(address))",
      actual: "it continued at \(hexadecimal(seen.address))", rule: Rule.trampoline)
  }

  @inline(never)
  mutating func divergeAtLostWord(
    _ task: JudgedTask, _ call: PoppedInstance, slot: Address
  ) {
    diverge(
      task, .lostTrampolineWord,
      expected: "\(callName(call)) to return through \(hexadecimal(slot))",
      actual: "that slot held another word at a later hit", rule: Rule.hijack)
  }

  @inline(never)
  mutating func diverge(_ task: JudgedTask, at seen: SeenReturn, insteadOfCall due: DueReturn) {
    diverge(
      task, .wrongReturn, expected: "the return of \(callName(due.instance))",
      actual: "the return of \(probeName(seen.probe)) at \(hexadecimal(seen.function))",
      rule: due.place == 0 ? Rule.trampoline : Rule.chainOrder)
  }

  @inline(never)
  mutating func diverge(
    _ task: JudgedTask, at seen: SeenReturn, insteadOfAddressOf call: PoppedInstance
  ) {
    let address = hexadecimal(call.originalReturnAddress)
    diverge(
      task, .wrongReturnAddress, expected: "\(callName(call)) to return to \(address)",
      actual: "it returned to \(hexadecimal(seen.address))", rule: Rule.chainOrder)
  }

  private func describe(_ seen: SeenReturn) -> String {
    "\(probeName(seen.probe)) at \(hexadecimal(seen.function)) returned"
  }
}
