import HandlerHost
import ProbeEvents

/// A foreign handler as a handler: every call goes through its table, in this process.
struct ForeignHandler: ProbeHandler {
  let name: String
  private let session: HandlerSession

  /// Takes over a session.
  init(name: String, session: HandlerSession) {
    self.name = name
    self.session = session
  }

  var fault: HandlerFault? { session.fault }

  mutating func create(slot: Int) { session.create(task: slot) }

  static var readsMemory: Bool { true }

  mutating func see(stack: Span<UInt64>, at address: Address) {
    session.see(stack: stack, at: address)
  }

  mutating func entry(slot: Int, cause: EntryCause) -> EntryConclusion {
    session.entry(task: slot, cause: cause, probe: EntryNumber.probe(cause.entry))
  }

  mutating func trampoline(
    slot: Int, arrival: TrampolineArrival, popped: inout PoppedInstances
  ) -> TrampolineConclusion {
    session.trampoline(task: slot, arrival: arrival, popped: &popped)
  }

  mutating func copy(from parent: Int, to child: Int, as copy: TaskCopy) -> Int {
    session.copy(from: parent, to: child, as: copy)
  }

  mutating func free(slot: Int) { session.exec(task: slot) }

  mutating func exit(slot: Int) { session.exit(task: slot) }

  mutating func finish() { session.finish() }
}
