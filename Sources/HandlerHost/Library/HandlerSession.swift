import CProbeHandler
public import ProbeEvents

/// One state of a foreign handler: a tape's worth of calls through its table.
///
/// Every conclusion is checked for being possible at all, so that a handler that contradicts itself
/// ends as a ``HandlerFault`` and never as an index out of range in the judge.
@safe public final class HandlerSession {
  /// The first fault; once there is one, conclusions mean nothing.
  public private(set) var fault: HandlerFault?
  /// The last message the handler had for the kernel log.
  public var warning: String? { unsafe context.pointee.warning }

  private let library: HandlerLibrary
  private let architecture: Architecture
  // Both allocated in `init` and freed in `deinit`, after the handler's state.
  private let context: UnsafeMutablePointer<CallContext>
  private let host: UnsafeMutablePointer<probe_host>
  /// The handler's own; nil after ``finish()``.
  private var state: UnsafeMutableRawPointer?
  /// How many instances each task holds, by what the handler said so far.
  private var depths: [Int] = []

  /// Asks a library for a state for one tape.
  public init(
    _ library: HandlerLibrary, kernel: KernelFacts, probes: Int
  ) throws(HandlerLibraryError) {
    self.library = library
    architecture = kernel.architecture
    unsafe context = .allocate(capacity: 1)
    unsafe context.initialize(to: CallContext())
    unsafe host = .allocate(capacity: 1)
    unsafe host.initialize(to: HostCallbacks.table(context))
    unsafe state = kernel.release.withCString { release in
      var tape = unsafe probe_tape(
        architecture: UInt32(kernel.architecture.rawValue),
        probe_count: UInt32(clamping: probes), release: release)
      return unsafe library.table.pointee.create(host, &tape)
    }
    if unsafe state == nil {
      throw .refused(name: library.ownName, release: kernel.release)
    }
  }

  deinit {
    finish()
    unsafe host.deallocate()
    unsafe context.deinitialize(count: 1)
    unsafe context.deallocate()
  }

  /// Ends the state. A handler may report what it lost (memory, references) now.
  public func finish() {
    guard let ended = unsafe state else { return }
    unsafe state = nil
    unsafe library.table.pointee.destroy(ended)
    takeReportedFault()
  }

  /// A task without return instances.
  public func create(task: Int) {
    while depths.count <= task { depths.append(0) }
    depths[task] = 0
    unsafe library.table.pointee.task_created(state, UInt32(task))
    takeReportedFault()
  }

  /// What the task's stack holds at the hit that comes next, from `address` upwards: what the handler
  /// can read of user memory then.
  public func see(stack: Span<UInt64>, at address: Address) {
    unsafe context.pointee.memory.see(stack, at: address)
  }

  /// A breakpoint hit.
  public func entry(task: Int, cause: EntryCause, probe: UInt32) -> EntryConclusion {
    unsafe context.pointee.begin()
    if architecture == .x86_64 {
      unsafe context.pointee.slot = (cause.stackPointer, cause.isCompat ? 4 : 8)
    }
    var entry = probe_entry(
      entry: cause.entry, ip: cause.instructionPointer, sp: cause.stackPointer,
      return_address: cause.returnAddress, stack_word: cause.stackWord,
      trampoline: cause.trampoline, probe: probe, wants_return: cause.wantsReturn ? 1 : 0,
      is_compat: cause.isCompat ? 1 : 0, reserved: (0, 0))
    var concluded = probe_entry_conclusion()
    unsafe library.table.pointee.entry_hit(state, UInt32(task), &entry, &concluded)
    unsafe context.pointee.memory.forget()
    takeReportedFault()
    return check(concluded, of: cause, task)
  }

  /// An arrival at the trampoline. `popped` takes what the handler took off the list.
  public func trampoline(
    task: Int, arrival: TrampolineArrival, popped: inout PoppedInstances
  ) -> TrampolineConclusion {
    unsafe context.pointee.begin()
    unsafe context.pointee.popped.removeAll()
    var given = probe_arrival(
      sp: arrival.stackPointer, is_compat: arrival.isCompat ? 1 : 0,
      reserved: (0, 0, 0, 0, 0, 0, 0))
    var concluded = probe_arrival_conclusion()
    unsafe library.table.pointee.trampoline_hit(state, UInt32(task), &given, &concluded)
    unsafe context.pointee.memory.forget()
    takeReportedFault()
    let count = unsafe context.pointee.popped.count
    for index in 0..<count { unsafe popped.append(context.pointee.popped[index]) }
    if unsafe count > depths[task] || context.pointee.hasTooManyPopped {
      report(
        .inconsistent, expected: "at most the \(depths[task]) instances of the task taken off",
        actual: "\(count) or more taken off")
    }
    depths[task] = max(0, depths[task] - count)
    if let stray = unsafe context.pointee.strayWrite {
      report(
        .memory, expected: "no write to user memory at the trampoline",
        actual: "\(stray.length) bytes written at 0x\(String(stray.address, radix: 16))")
    }
    let signal = unsafe context.pointee.signal
    return signal != 0 ? .signal(signal) : .returned(to: concluded.ip)
  }

  /// A task was copied. Returns how many instances the child inherits.
  public func copy(from parent: Int, to child: Int, as copy: TaskCopy) -> Int {
    let inherited = unsafe library.table.pointee.task_copied(
      state, UInt32(parent), UInt32(child), UInt32(copy.rawValue))
    takeReportedFault()
    if inherited > depths[parent] {
      report(
        .inconsistent, expected: "at most the \(depths[parent]) instances of the parent inherited",
        actual: "\(inherited) inherited")
    }
    depths[child] = min(Int(inherited), depths[parent])
    return depths[child]
  }

  /// The task replaced its program.
  public func exec(task: Int) {
    depths[task] = 0
    unsafe library.table.pointee.task_execed(state, UInt32(task))
    takeReportedFault()
  }

  /// The task ended.
  public func exit(task: Int) {
    depths[task] = 0
    unsafe library.table.pointee.task_exited(state, UInt32(task))
    takeReportedFault()
  }

  private func takeReportedFault() {
    guard let text = unsafe context.pointee.fault else { return }
    unsafe context.pointee.fault = nil
    report(.inconsistent, expected: "a handler in a possible state", actual: text)
  }

  private func report(_ kind: HandlerFault.Kind, expected: String, actual: String) {
    if fault == nil { fault = HandlerFault(kind, expected: expected, actual: actual) }
  }

  private func check(
    _ concluded: probe_entry_conclusion, of cause: EntryCause, _ task: Int
  ) -> EntryConclusion {
    guard let raw = UInt8(exactly: concluded.outcome),
      let outcome = EntryConclusion.Outcome(rawValue: raw)
    else {
      report(
        .inconsistent, expected: "an outcome from 0 to 5", actual: "outcome \(concluded.outcome)")
      return EntryConclusion(.hijackFailed)
    }
    guard concluded.dropped <= depths[task] else {
      report(
        .inconsistent, expected: "at most the \(depths[task]) instances of the task dropped",
        actual: "\(concluded.dropped) dropped")
      return EntryConclusion(.hijackFailed)
    }
    depths[task] -= Int(concluded.dropped)
    if (outcome == .noReturnProbe) == cause.wantsReturn {
      report(
        .inconsistent,
        expected: cause.wantsReturn
          ? "a return instance, or a reason why there is none"
          : "no return instance, as nobody wants the return",
        actual: "\(outcome)")
    }
    checkMemory(outcome, cause)
    switch outcome {
    case .pushed, .chained:
      guard depths[task] < PoppedInstances.capacity else {
        report(
          .inconsistent, expected: "at most \(PoppedInstances.capacity) instances",
          actual: "one more pushed")
        return EntryConclusion(.omittedAtDepthLimit)
      }
      depths[task] += 1
    case .noReturnProbe, .omittedAtDepthLimit, .chainWithoutInstance, .hijackFailed: break
    }
    return EntryConclusion(outcome, dropped: UInt8(clamping: concluded.dropped))
  }

  /// Whether the handler replaced the return address exactly when it says so.
  private func checkMemory(_ outcome: EntryConclusion.Outcome, _ cause: EntryCause) {
    if let stray = unsafe context.pointee.strayWrite {
      report(
        .memory, expected: "no write but to the return address",
        actual: "\(stray.length) bytes written at 0x\(String(stray.address, radix: 16))")
    }
    let place = architecture == .x86_64 ? "the word at the stack pointer" : "the link register"
    let written =
      unsafe architecture == .x86_64
      ? context.pointee.slotValue : context.pointee.linkRegister
    switch outcome {
    // Where the return address is the trampoline already, nothing needs to be written; that the
    // instance should be a chained one, the evidence says.
    case .pushed where written == nil && cause.returnAddress != cause.trampoline:
      report(
        .memory, expected: "\(place) replaced by the trampoline, as an instance was pushed",
        actual: "it was not written")
    case .noReturnProbe where written != nil, .omittedAtDepthLimit where written != nil:
      report(.memory, expected: "\(place) left alone", actual: "it was written")
    case .pushed, .chained, .noReturnProbe, .omittedAtDepthLimit, .chainWithoutInstance,
      .hijackFailed:
      if let written, cause.trampoline != 0, written != cause.trampoline {
        report(
          .memory, expected: "\(place) set to the trampoline",
          actual: "it was set to 0x\(String(written, radix: 16))")
      }
    }
  }
}
