public import HandlerHost
public import ProbeEvents

/// Whatever decides what happens at a breakpoint and at the trampoline.
///
/// A handler keeps state per task, which the replayer names by a small number, its slot. It is fed
/// causes only; what the recording kernel concluded stays with the replayer.
public protocol ProbeHandler: ~Copyable {
  /// The handler as users name it, for example `model:6.1`.
  var name: String { get }
  /// Gives a slot to a new task that has no return instances.
  mutating func create(slot: Int)
  /// Whether it reads user memory.
  static var readsMemory: Bool { get }
  /// What the task's stack holds at the hit that is fed next, from `address` upwards; only called
  /// where ``readsMemory`` says so.
  mutating func see(stack: Span<UInt64>, at address: Address)
  /// A breakpoint hit.
  mutating func entry(slot: Int, cause: EntryCause) -> EntryConclusion
  /// An arrival at the return trampoline; `popped` is empty on entry and takes what is popped.
  mutating func trampoline(
    slot: Int, arrival: TrampolineArrival, popped: inout PoppedInstances
  ) -> TrampolineConclusion
  /// A task was created: what the child inherits from the parent. Returns how many instances.
  mutating func copy(from parent: Int, to child: Int, as copy: TaskCopy) -> Int
  /// The task replaced its program.
  mutating func free(slot: Int)
  /// The task ended.
  mutating func exit(slot: Int)
  /// The tape ended.
  mutating func finish()
  /// Something the handler did that no kernel does; its conclusions since mean nothing.
  var fault: HandlerFault? { get }
}

extension ProbeHandler where Self: ~Copyable {
  static var readsMemory: Bool { false }
  mutating func see(stack: Span<UInt64>, at address: Address) {}
  mutating func exit(slot: Int) { free(slot: slot) }
  mutating func finish() {}
  var fault: HandlerFault? { nil }
}
