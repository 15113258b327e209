import KernelModel
import ProbeEvents

/// A user thread on paper: return slots, and the model in the kernel's place.
///
/// Calls and returns move return addresses like the processor does (on arm64 a slot stands for the
/// link register and the place where the frame saves it), so whether a slot holds the trampoline
/// follows from what happened before, as in a real process. What the thread saw is kept as
/// text: `E f` an entry hit, `R f` a return handler, `ip=` where a trampoline arrival went on,
/// `SIGNAL n` a signal instead.
struct SimulatedThread {
  static let trampoline: Address = 0x7fff_ffff_e000

  var rules: ReturnProbeRules
  var task = UprobeTask()
  /// What the last arrival popped, newest first.
  var popped: [PoppedInstance] = []
  /// Return slots, by the stack pointer at the function's first instruction.
  var slots: [Address: Address] = [:]
  /// Name of each entry, by its number.
  var names: [String] = []
  var log: [String] = []
  /// Where the last return went.
  var instructionPointer: Address = 0
  /// What the model said at the last entry.
  var lastEntry = EntryConclusion(.noReturnProbe)

  init(_ rules: ReturnProbeRules) {
    self.rules = rules
  }

  init(_ epoch: Epoch, _ architecture: Architecture = .x86_64) {
    self.init(ReturnProbeRules(epoch: epoch, architecture: architecture))
  }

  /// Names of the listed instances, newest first.
  var listed: [String] {
    let stack = task.returnInstances
    return (0..<stack.count).map { names[Int(stack[$0].entry)] }
  }

  /// Calls a probed function, whose first instruction is hit with the stack pointer `sp`.
  mutating func call(_ name: String, sp: Address, returningTo target: Address = 0x1000) {
    slots[sp] = target
    hit(name, sp: sp)
  }

  /// Jumps to a probed function, which keeps the caller's return address.
  mutating func jump(_ name: String, sp: Address) {
    hit(name, sp: sp)
  }

  /// Hits the breakpoint of a function with the return address where it lies.
  mutating func hit(_ name: String, sp: Address) {
    lastEntry = task.handleBreakpoint(
      EntryCause(
        instructionPointer: 0x40_0000 + UInt64(names.count), stackPointer: sp,
        returnAddress: slots[sp] ?? 0,
        trampoline: Self.trampoline, entry: UInt64(names.count), wantsReturn: true),
      rules: rules)
    names.append(name)
    log.append("E \(name)")
    switch lastEntry.outcome {
    case .pushed, .chained, .chainWithoutInstance:
      slots[sp] = Self.trampoline
    case .noReturnProbe, .omittedAtDepthLimit, .hijackFailed:
      break
    }
  }

  /// Returns from the function that was entered with the stack pointer `sp`.
  mutating func `return`(sp: Address) {
    guard let target = slots[sp], target == Self.trampoline else {
      instructionPointer = slots[sp] ?? 0
      return
    }
    arrive(sp: rules.architecture == .x86_64 ? sp + 8 : sp)
  }

  /// Reaches the trampoline with the given stack pointer.
  mutating func arrive(sp: Address) {
    var buffer = PoppedInstances()
    let conclusion = task.handleTrampoline(
      TrampolineArrival(stackPointer: sp), rules: rules, popped: &buffer)
    popped = (0..<buffer.count).map { buffer[$0] }
    for instance in popped where instance.handlersRan {
      log.append("R \(names[Int(instance.entry)])")
    }
    switch conclusion {
    case .returned(let target): instructionPointer = target
    case .signal(let number): log.append("SIGNAL \(number)")
    }
  }

  /// The log so far as one line; starts a new one.
  mutating func takeLog() -> String {
    defer { log = [] }
    return log.joined(separator: " ")
  }
}
