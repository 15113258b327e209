public import ProbeEvents

/// In what way a handler and a tape disagree.
public enum DivergenceClass: String, Sendable, Hashable, CaseIterable {
  /// A return handler ran in the kernel, but the handler had nothing that could return.
  case unexpectedReturn
  /// The handler says a return handler ran, but the kernel ran none.
  case missingReturn
  /// The kernel ran the return handler of another call than the handler did.
  case wrongReturn
  /// The right call returned, but to another address.
  case wrongReturnAddress
  /// The return address found at an entry and the handler's list disagree about a tail call.
  case chainMismatch
  /// A trampoline address lies in the stack where the handler never put one.
  case strayTrampolineWord
  /// A call returned through a stack slot that no longer held the trampoline.
  case lostTrampolineWord
  /// The kernel signalled a task at the trampoline, but the handler had an instance for it.
  case unexpectedSignal
  /// The kernel and the handler signalled a task at the trampoline differently.
  case wrongSignal
  /// The target ended in another way than the handler's last signal demands.
  case wrongExit
  /// The handler read or wrote user memory in a way that no kernel does.
  case wrongMemory
  /// The handler contradicted itself, or is in an impossible state: a leak, a lost reference, or
  /// what a sanitizer reports.
  case handlerFaulted
  /// The handler's process died of a signal.
  case handlerCrashed
  /// The handler made no progress within the time limit.
  case handlerTimedOut
}

/// One disagreement between a handler and a tape: a value, not an error.
public struct Divergence: Sendable, Hashable {
  /// Index of the hit on the tape at which it shows (for a signal: of the next hit).
  public var hit: UInt64
  /// The thread it concerns.
  public var thread: ThreadIdentity
  /// In what way they disagree.
  public var kind: DivergenceClass
  /// What the handler demands.
  public var expected: String
  /// What the tape has.
  public var actual: String
  /// The kernel rule that decided, with the function that holds it.
  public var rule: String

  /// A disagreement.
  public init(
    hit: UInt64, thread: ThreadIdentity, kind: DivergenceClass, expected: String, actual: String,
    rule: String
  ) {
    self.hit = hit
    self.thread = thread
    self.kind = kind
    self.expected = expected
    self.actual = actual
    self.rule = rule
  }
}
