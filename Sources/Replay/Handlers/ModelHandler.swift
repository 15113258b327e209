import KernelModel
import ProbeEvents

/// The kernel model as a handler.
struct ModelHandler: ProbeHandler, ~Copyable {
  let name: String
  private let rules: ReturnProbeRules
  private var tasks = FlatStorage<UprobeTask>()

  /// The model with the rules of one epoch, or of the facts a tape carries.
  init(name: String, rules: ReturnProbeRules) {
    self.name = name
    self.rules = rules
  }

  mutating func create(slot: Int) {
    while tasks.count <= slot { tasks.append(UprobeTask()) }
    tasks[slot].free()
  }

  @inline(__always)
  mutating func entry(slot: Int, cause: EntryCause) -> EntryConclusion {
    tasks[slot].handleBreakpoint(cause, rules: rules)
  }

  @inline(__always)
  mutating func trampoline(
    slot: Int, arrival: TrampolineArrival, popped: inout PoppedInstances
  ) -> TrampolineConclusion {
    tasks[slot].handleTrampoline(arrival, rules: rules, popped: &popped)
  }

  mutating func copy(from parent: Int, to child: Int, as copy: TaskCopy) -> Int {
    tasks[child] = tasks[parent].copied(as: copy, rules: rules)
    return tasks[child].returnInstances.count
  }

  mutating func free(slot: Int) {
    tasks[slot].free()
  }
}
