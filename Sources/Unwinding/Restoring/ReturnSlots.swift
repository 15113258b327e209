import ProbeEvents

/// What return probes took out of one address space's stacks: for each stack pointer at which a call
/// was entered, where that call really returns to.
///
/// An entry stays when the call has returned or was left by a jump. The kernel never restores the
/// word, and as long as the word is the trampoline, the last call entered there is the one whose
/// return address it replaced.
final class ReturnSlots {
  /// Slots kept; beyond that, all are forgotten at once.
  static let slotLimit = 1 << 20

  private var originals: [Address: Address] = [:]
  /// Stack pointers of pending calls, the newest last: where the link register carries the return
  /// address, the word's place in the frame is not known, only that it lies below.
  private(set) var pending: [ThreadIdentity: [Address]] = [:]

  /// Pending calls kept of one thread: the kernel's limit.
  private static let depthLimit = 64

  /// No slots.
  init() {}

  /// A copy, for a process with a copy of the memory.
  init(copying other: ReturnSlots) {
    originals = other.originals
    pending = other.pending
  }

  /// A call was entered at a stack pointer, and its return address replaced.
  func push(_ thread: ThreadIdentity, _ stackPointer: Address, original: Address) {
    if originals.count >= Self.slotLimit { originals.removeAll(keepingCapacity: true) }
    originals[stackPointer] = original
    pending[thread, default: []].append(stackPointer)
    if let count = pending[thread]?.count, count > Self.depthLimit {
      pending[thread]?.removeFirst(count - Self.depthLimit)
    }
  }

  /// What is in a slot is not what a return probe put there.
  func forget(_ stackPointer: Address) { originals[stackPointer] = nil }

  /// Calls entered below a stack pointer have been left.
  func leave(below stackPointer: Address, of thread: ThreadIdentity) {
    pending[thread]?.removeAll { $0 < stackPointer }
  }

  /// The newest pending call's return address.
  func newestOriginal(of thread: ThreadIdentity) -> Address? {
    pending[thread]?.last.flatMap { originals[$0] }
  }

  /// Calls are no longer pending: those of a thread beyond the oldest `depth`.
  func keep(_ depth: Int, of thread: ThreadIdentity) {
    guard let count = pending[thread]?.count, count > depth else { return }
    pending[thread]?.removeLast(count - depth)
  }

  /// A task ended.
  func remove(_ thread: ThreadIdentity) { pending[thread] = nil }

  /// A new task inherits what its parent has pending.
  func copy(from parent: ThreadIdentity, to child: ThreadIdentity) {
    pending[child] = pending[parent]
  }

  /// What the trampoline replaced in the slot at an address, where calls push the return address.
  func original(inSlot address: Address) -> Address? { originals[address] }

  /// What the trampoline replaced in a frame that saved its link register at an address: the call
  /// whose frame is the nearest above.
  func original(savedAt address: Address, by thread: ThreadIdentity) -> Address? {
    let above = pending[thread]?.filter { $0 > address }.min()
    return above.flatMap { originals[$0] }
  }
}
