import KernelModel
import ProbeEvents
import Testing

/// Random lives of a task, lawful and unlawful, run through the model and through the linked
/// reference beside each other.
@Suite("Random walks")
struct RandomWalkTests {
  static let trampoline: Address = 0x7fff_ffff_e000
  static let steps = 2_500

  @Test(
    "model and reference agree at every step and the list's invariants hold",
    arguments: Epoch.allCases, Architecture.allCases)
  func agreement(epoch: Epoch, architecture: Architecture) {
    var seen: Set<EntryConclusion.Outcome> = []
    for seed in UInt64(1)...4 {
      var walk = Walk(epoch: epoch, architecture: architecture, seed: seed)
      for step in 0..<Self.steps {
        if let difference = walk.step() {
          let again = "Walk(epoch: .\(epoch), architecture: .\(architecture), seed: \(seed))"
          Issue.record("\(again), step \(step): \(difference)")
          return
        }
      }
      seen.formUnion(walk.seen)
    }
    // A walk that never meets an outcome says nothing about it.
    #expect(
      seen == [.pushed, .chained, .omittedAtDepthLimit, .chainWithoutInstance, .hijackFailed])
  }

  struct Walk: ~Copyable {
    let epoch: Epoch
    let rules: ReturnProbeRules
    var random: SplitMix
    var task = UprobeTask()
    var reference: LinkedReference
    var popped = PoppedInstances()
    var entry: UInt64 = 0
    /// Outcomes met so far.
    var seen: Set<EntryConclusion.Outcome> = []
    /// Whether the task is in a stretch of ever deeper calls, so that lists get full.
    var isDescending = false

    init(epoch: Epoch, architecture: Architecture, seed: UInt64) {
      self.epoch = epoch
      rules = ReturnProbeRules(epoch: epoch, architecture: architecture)
      random = SplitMix(seed: seed)
      reference = LinkedReference(epoch: epoch.rawValue, isARM: architecture == .aarch64)
    }

    /// A stack pointer near the newest instance's: below, at, or above it.
    mutating func stackPointer() -> Address {
      let base = reference.head?.stack ?? 1 << 20
      if isDescending { return base &- 16 }
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<5: return base &- 8 * Address.random(in: 1...4, using: &random)
      case 5: return base
      case 6: return base &+ 8
      case 7: return base &+ 8 * Address.random(in: 1...64, using: &random)
      case 8: return reference.nodes.randomElement(using: &random)?.stack ?? base
      default: return Address.random(in: 1 << 19...1 << 21, using: &random)
      }
    }

    /// One random event in both; what they disagree about, or nil.
    mutating func step() -> String? {
      if Int.random(in: 0..<100, using: &random) == 0 { isDescending.toggle() }
      if isDescending { return enter(word: Address.random(in: 1...1 << 40, using: &random)) }
      return switch Int.random(in: 0..<1000, using: &random) {
      case 0..<600: enter(word: Address.random(in: 1...1 << 40, using: &random))
      case 600..<700: enter(word: RandomWalkTests.trampoline)
      case 700..<705: enter(word: .max)
      case 705..<990: arrive()
      case 990..<993: fork()
      default: free()
      }
    }

    mutating func enter(word: UInt64) -> String? {
      let sp = stackPointer()
      let function = Address.random(in: 0x40_0000...0x40_0010, using: &random)
      entry += 1
      let actual = task.handleBreakpoint(
        EntryCause(
          instructionPointer: function, stackPointer: sp, returnAddress: word,
          trampoline: RandomWalkTests.trampoline, entry: entry, wantsReturn: true),
        rules: rules)
      let (outcome, dropped) = reference.enter(
        function: function, sp: sp, word: word, trampoline: RandomWalkTests.trampoline,
        entry: entry)
      seen.insert(outcome)
      guard actual.outcome == outcome, Int(actual.dropped) == dropped else {
        return "\(actual) instead of \(outcome), dropped \(dropped)"
      }
      return listDifference()
    }

    mutating func arrive() -> String? {
      let sp = stackPointer() &+ (rules.architecture == .x86_64 ? 8 : 0)
      let listed = reference.nodes.map(\.entry)
      let actual = task.handleTrampoline(
        TrampolineArrival(stackPointer: sp), rules: rules, popped: &popped)
      let (target, expected) = reference.arrive(sp: sp)
      let conclusion: TrampolineConclusion =
        if let target { .returned(to: target) } else { .signal(epoch.rawValue < 3 ? 5 : 4) }
      guard actual == conclusion else { return "\(actual) instead of \(conclusion)" }
      guard popped.count == expected.count else {
        return "\(popped.count) popped instead of \(expected.count)"
      }
      for (index, (node, handlersRan)) in expected.enumerated() {
        let wanted = PoppedInstance(
          entry: node.entry, function: node.function, originalReturnAddress: node.original,
          handlersRan: handlersRan)
        guard popped[index] == wanted else { return "\(popped[index]) instead of \(wanted)" }
        guard popped[index].entry == listed[index] else { return "not popped newest first" }
      }
      return listDifference()
    }

    mutating func fork() -> String? {
      let parent = task
      let copy: TaskCopy = Bool.random(using: &random) ? .fork : .vfork
      task = parent.copied(as: copy, rules: rules)
      let old = reference
      reference = old.forked()
      if let difference = listDifference() { return "child: \(difference)" }
      // Most of the time life goes on in the parent, so that lists grow long.
      if Int.random(in: 0..<4, using: &random) > 0 {
        task = parent
        reference = old
      }
      return listDifference()
    }

    mutating func free() -> String? {
      task.free()
      reference = LinkedReference(epoch: reference.epoch, isARM: reference.isARM)
      return listDifference()
    }

    /// What is wrong with the list, by itself or against the reference.
    func listDifference() -> String? {
      let stack = task.returnInstances
      let nodes = reference.nodes
      guard stack.count <= 64, stack.depth <= 64 else { return "more than 64 instances" }
      guard stack.count == nodes.count else { return "\(stack.count) listed, not \(nodes.count)" }
      guard stack.depth == reference.depth else { return "depth \(stack.depth)" }
      if epoch >= .e1, stack.depth != stack.count { return "depth is not the count" }
      for (index, node) in nodes.enumerated() {
        let instance = stack[index]
        let wanted = ReturnInstance(
          function: node.function, stackPointer: node.stack, originalReturnAddress: node.original,
          isChained: node.chained, entry: node.entry)
        guard instance == wanted else { return "\(instance) instead of \(wanted)" }
        guard instance.isChained else { continue }
        guard index + 1 < stack.count else { return "the oldest instance is chained" }
        guard stack[index + 1].originalReturnAddress == instance.originalReturnAddress else {
          return "a chain with two original addresses"
        }
      }
      return nil
    }
  }
}
