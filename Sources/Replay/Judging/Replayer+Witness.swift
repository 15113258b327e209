import KernelModel
import ProbeEvents

extension Replayer where Handler: ~Copyable {
  /// Holds the kernel's own list against what the handler's conclusions add up to.
  ///
  /// A list that was read at a return hit is judged when that hit is: it shows the arrival half
  /// done.
  mutating func judge(_ witness: Witness, at time: UInt64) {
    guard reason == nil, time >= wholeFrom, isReliable(witness) else { return }
    let task = task(of: witness.thread)
    guard task.state.isJudged else { return }
    let owed = task.owesReturn ? task.state.popped - task.state.due : 0
    switch witness.moment {
    case .return: check(witness, task, count: task.held + owed)
    // An owed return is missing here, which is found where the next thing happens.
    case .entry, .beforeTrampoline, .afterTrampoline:
      if owed == 0 { check(witness, task, count: task.held) }
    }
  }

  /// Whether the list names only instances that are alive.
  private func isReliable(_ witness: Witness) -> Bool {
    switch popping {
    case .beforeHandlers: true
    case .afterHandlers: witness.moment != .return
    }
  }

  private mutating func check(_ witness: Witness, _ task: JudgedTask, count: Int) {
    evidence.witnesses &+= 1
    // A task that ran before recording began may hold instances below those that the tape knows of.
    let unseen = task.state.isAttached ? max(0, witness.instances.count - count) : 0
    let list = witness.instances.dropFirst(unseen)
    guard list.count == count else {
      return diverge(
        task, witness, field: "return_instances", expected: "\(count) instances",
        actual: "\(list.count) instances")
    }
    for (place, seen) in list.enumerated() {
      // Popped instances that are still owed stay where they were when they were held.
      let shadow = task[held: place]
      guard let field = Self.difference(shadow, seen) else { continue }
      return diverge(
        task, witness, field: field.name, expected: field.expected,
        actual: "\(field.actual) in instance \(place + 1) of \(count) (oldest first)")
    }
    if Int(witness.depth) != witness.instances.count {
      diverge(
        task, witness, field: "depth", expected: "\(witness.instances.count), the list's length",
        actual: "\(witness.depth)")
    }
  }

  private mutating func diverge(
    _ task: JudgedTask, _ witness: Witness, field: String, expected: String, actual: String
  ) {
    diverge(
      task, .witnessMismatch, expected: "\(field): \(expected)", actual: "\(field): \(actual)",
      rule: Rule.witness)
  }

  /// The first field that differs, by the kernel's name.
  private static func difference(
    _ shadow: ShadowInstance, _ seen: WitnessedInstance
  ) -> (name: String, expected: String, actual: String)? {
    if shadow.function != seen.function {
      return ("func", hexadecimal(shadow.function), hexadecimal(seen.function))
    }
    if shadow.stackPointer != seen.stackPointer {
      return ("stack", hexadecimal(shadow.stackPointer), hexadecimal(seen.stackPointer))
    }
    if shadow.originalReturnAddress != seen.originalReturnAddress {
      return (
        "orig_ret_vaddr", hexadecimal(shadow.originalReturnAddress),
        hexadecimal(seen.originalReturnAddress)
      )
    }
    if shadow.isChained != seen.isChained {
      return ("chained", "\(shadow.isChained)", "\(seen.isChained)")
    }
    return nil
  }
}
