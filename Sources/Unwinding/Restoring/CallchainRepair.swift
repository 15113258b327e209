import ProbeEvents

/// Puts right what kernels leave wrong in callchains by frame pointers.
///
/// - A function that has not pushed its frame pointer yet hides its caller. From 6.12 on the kernel adds
///   the caller where the probed instruction is `push %rbp` or `endbr64`; everywhere else at the start
///   of a function it is added here.
/// - Up to 6.10, trampolines stand in the chain. From the innermost on, they are the slots of live
///   instances.
/// - From 6.11 on the kernel replaces each trampoline by the next instance on its list. But calls
///   chained by tail calls share one slot, and what a jump has left has none any more, while both
///   have an instance: every frame further out gets the address of one further in. Since the list is
///   known, so is what the kernel took, and that is looked for. Where it can be in two places and
///   these give different stacks, the stack ends before the first frame in doubt.
///
/// Not repaired: chains of tasks whose instances lie on several stacks, and chains that a function
/// without frame pointer has broken.
///
/// Kernel: kernel/events/callchain.c fixup_uretprobe_trampoline_entries(),
/// arch/x86/events/core.c is_uprobe_at_func_entry()
struct CallchainRepair {
  /// The hit that a chain is of.
  struct Situation {
    var stackPointer: Address
    /// Return address of a function that was just entered, as the program sees it; nil elsewhere.
    var returnAddress: Address?
    /// Whether the kernel may have added the caller.
    var mayHaveCaller: Bool
    /// Whether a call's slot can still be at the stack pointer.
    var includesStackPointer: Bool
    /// Start of `[uprobes]`; 0 while there is none.
    var trampoline: Address
  }

  /// Addresses behind the innermost one, as repaired.
  private(set) var callers: [Address] = []
  /// Whether the chain had to be cut.
  private(set) var isCut = false

  /// Slots of live instances, innermost first: what each trampoline on the stack replaced.
  private var live: [Address] = []
  /// What the kernel takes for the trampolines that it meets.
  private var taken: [Address] = []

  /// Repairs a chain: its addresses behind the innermost one.
  mutating func repair(
    _ chain: Span<UInt64>, _ list: [InstanceLists.Instance], _ situation: Situation
  ) {
    callers.removeAll(keepingCapacity: true)
    for index in chain.indices { callers.append(chain[index]) }
    isCut = false
    let isOneStack = gather(list, situation)
    var caller = situation.returnAddress
    let isTail = caller == situation.trampoline && situation.trampoline != 0
    let isRaw = situation.trampoline != 0 && callers.contains(situation.trampoline)
    if let address = caller {
      let expected = isTail && !isRaw ? taken.first : address
      if situation.mayHaveCaller, callers.first == expected, expected != nil {
        caller = nil
      } else if isTail {
        // The slot that the walk did not come by.
        caller = live.isEmpty ? nil : live.removeFirst()
      }
    }
    if isOneStack {
      if isRaw { replaceTrampolines(situation.trampoline) } else { moveTaken() }
    }
    if let caller { callers.insert(caller, at: 0) }
  }

  /// False when the instances lie on more than one stack.
  private mutating func gather(
    _ list: [InstanceLists.Instance], _ situation: Situation
  ) -> Bool {
    live.removeAll(keepingCapacity: true)
    taken.removeAll(keepingCapacity: true)
    var last: Address = 0
    for instance in list.reversed() {
      guard instance.slot >= last else { return false }
      taken.append(instance.original)
      let isLive =
        instance.slot > situation.stackPointer
        || (instance.slot == situation.stackPointer && situation.includesStackPointer)
      if isLive, instance.slot != last { live.append(instance.original) }
      last = instance.slot
    }
    return true
  }

  private mutating func replaceTrampolines(_ trampoline: Address) {
    var next = 0
    for index in callers.indices where callers[index] == trampoline {
      guard next < live.count else { return cut(at: index) }
      callers[index] = live[next]
      next += 1
    }
  }

  private mutating func moveTaken() {
    // The kernel took the right ones.
    if live.elementsEqual(taken.prefix(live.count)) { return }
    var first: [Int] = []
    for index in callers.indices where first.count < live.count {
      if callers[index] == taken[first.count] { first.append(index) }
    }
    var last = first.count
    var other = callers
    for index in callers.indices.reversed() where last > 0 {
      guard callers[index] == taken[last - 1] else { continue }
      last -= 1
      other[index] = live[last]
    }
    for (place, index) in first.enumerated() { callers[index] = live[place] }
    if let doubt = callers.indices.first(where: { callers[$0] != other[$0] }) { cut(at: doubt) }
  }

  private mutating func cut(at index: Int) {
    callers.removeSubrange(index...)
    isCut = true
  }
}
