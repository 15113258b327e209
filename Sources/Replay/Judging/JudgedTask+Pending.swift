import ProbeEvents

/// The returns that a task's last arrival at the trampoline still owes: what the handler popped,
/// with how much of it has been seen returning on the tape.
extension JudgedTask {
  /// Whether the last arrival owes a return hit.
  var owesReturn: Bool { @inline(__always) get { state.due < state.popped } }

  /// The return that is due, with how many popped instances came before it.
  var due: DueReturn { DueReturn(instance: self[popped: state.due], place: state.due) }

  /// Notes an arrival of an attached task; it comes only when the arrival before was as it should be.
  ///
  /// One call of a recursion is like another but for its stack pointer: that tells whether the
  /// newest instance is really there.
  func noteArrivalWhenAttached(_ stackPointer: Address) {
    if state.arrivalIsExact {
      state.provenDepth = max(state.provenDepth, state.arrivalDepth)
    }
    state.arrivalDepth = held
    let slot = held > 0 ? instance(newest: 0).stackPointer : 0
    state.arrivalIsExact = stackPointer &- slot <= 8
  }

  /// Whether the kernel may have made fewer instances than the handler: an attached task may hold
  /// some from before recording began, so that the limit comes earlier. Not up to a depth at which
  /// it has been seen to make them.
  var limitIsUncertain: Bool {
    state.isAttached && max(state.arrivalDepth, held) > state.provenDepth
  }

  /// Owes nothing any more.
  func oweNothing() {
    state.popped = 0
    state.due = 0
  }

  /// Takes over what one arrival popped and returns the first return it owes, which is as good as
  /// seen; nil when the handlers of none ran.
  func take(_ arrived: borrowing PoppedInstances) -> DueReturn? {
    for place in 0..<arrived.count { self[popped: place] = arrived[place] }
    state.popped = arrived.count
    state.due = 0
    skipSilentlyDropped()
    guard owesReturn else { return nil }
    let first = due
    advance()
    return first
  }

  /// The return that was due has been seen.
  func advance() {
    state.due += 1
    skipSilentlyDropped()
  }

  private func skipSilentlyDropped() {
    while owesReturn, !self[popped: state.due].handlersRan { state.due += 1 }
  }
}

/// A return that the tape must show next in its task.
struct DueReturn: BitwiseCopyable {
  var instance: PoppedInstance
  /// How many instances popped by the same arrival came before.
  var place: Int
}
