import ProbeEvents

/// The calls of one task, as a handler's conclusions about its hits add up: those whose instances it
/// holds, and the last of those whose instances are gone.
struct FollowedTask: Sendable {
  /// How many calls whose instances are gone are remembered.
  static let goneMax = 32

  /// Oldest first; a handler holds 64 instances at most.
  private(set) var held: [FollowedCall] = []
  /// In the order in which they went.
  private(set) var gone: [FollowedCall] = []
  /// The last return hit, at which everything popped with it went too.
  private var lastReturn: UInt64 = 0

  /// A new entry, after which the handler holds `depth` instances.
  mutating func enter(_ call: FollowedCall, _ conclusion: EntryConclusion, depth: Int) {
    let isPushed = conclusion.outcome == .pushed || conclusion.outcome == .chained
    let before = depth + Int(conclusion.dropped) - (isPushed ? 1 : 0)
    // What an arrival popped without a return hit of its own is noticed here.
    if held.count > before {
      remove(held.count - max(0, before), .dropped(at: lastReturn, by: .arrival))
    }
    remove(
      Int(conclusion.dropped),
      .dropped(at: call.entered, by: .entry(probe: call.probe, stackPointer: call.slot)))
    var call = call
    switch conclusion.outcome {
    case .pushed: held.append(call)
    case .chained:
      call.isChained = true
      call.returnAddress = held.last?.returnAddress ?? call.returnAddress
      held.append(call)
    case .omittedAtDepthLimit, .chainWithoutInstance, .hijackFailed:
      call.fate = .notPushed(conclusion.outcome)
      remember(call)
    case .noReturnProbe: break
    }
  }

  /// A return hit of the call that a hit entered.
  mutating func leave(entered: UInt64, at hit: UInt64) {
    lastReturn = hit
    guard let place = held.lastIndex(where: { $0.entered == entered }) else { return }
    remove(held.count - 1 - place, .dropped(at: hit, by: .arrival))
    remove(1, .returned(at: hit))
  }

  /// The newest instances are gone.
  mutating func remove(_ count: Int, _ fate: FollowedCall.Fate) {
    for _ in 0..<min(count, held.count) {
      var call = held.removeLast()
      call.fate = fate
      remember(call)
    }
  }

  /// Notes what a window shows in the slots of calls, the words being 64 bits wide.
  mutating func see(
    _ words: ArraySlice<UInt64>, from start: Address, hit: UInt64, trampoline: Address
  ) {
    let end = start &+ UInt64(words.count) &* 8
    func look(_ call: inout FollowedCall) {
      guard call.slot >= start, call.slot < end, (call.slot - start) % 8 == 0 else { return }
      let word = words[words.startIndex + Int((call.slot - start) / 8)]
      call.sighting = FollowedCall.Sighting(
        hit: hit, word: word, isTrampoline: trampoline != 0 && word == trampoline)
    }
    for place in held.indices { look(&held[place]) }
    for place in gone.indices { look(&gone[place]) }
  }

  /// The newest call of a function, held ones first; one entered at a slot is preferred.
  func call(of function: Address, probe: UInt32, slot: Address?) -> FollowedCall? {
    func search(_ calls: [FollowedCall]) -> FollowedCall? {
      let fitting = calls.reversed().filter { $0.function == function && $0.probe == probe }
      return fitting.first { $0.slot == slot } ?? fitting.first
    }
    return search(held) ?? search(gone)
  }

  private mutating func remember(_ call: FollowedCall) {
    if gone.count == Self.goneMax { gone.removeFirst() }
    gone.append(call)
  }
}
