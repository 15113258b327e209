import ProbeEvents

/// Which processes' return trampolines are known, and what they teach about the kernel.
struct TrampolineWatch {
  /// Facts observed on the way.
  private(set) var facts: [KernelFact] = []

  /// Start of `[uprobes]` by process.
  private var starts: [Int32: Address] = [:]
  /// Processes that were looked up without success: once is enough.
  private var asked: Set<Int32> = []
  private var lastKnown: Int32 = -1

  /// The trampoline lies at the start of the area; 64 bytes hold it on every architecture, and the
  /// XOL slots that follow are 128 bytes apart.
  private static let trampolineBytes: UInt64 = 64

  /// Whether the process's trampoline is known, or cannot be.
  mutating func isKnown(_ process: Int32) -> Bool {
    if process == lastKnown { return true }
    guard starts[process] != nil || asked.contains(process) else { return false }
    lastKnown = process
    return true
  }

  /// A mapping was made.
  mutating func note(_ mapping: Mapping) {
    switch mapping.path {
    case Mapping.uprobesName: starts[mapping.process] = mapping.start
    case Mapping.uprobesTrampolineName: add(KernelFact(.optimizedSites, "nop5"))
    default: break
    }
  }

  /// A task was created. A child that shares its parent's memory has its trampoline as well.
  mutating func note(_ fork: TaskFork) {
    guard let flags = fork.cloneFlags, flags & TaskFork.cloneVM != 0,
      fork.child.process != fork.parent.process
    else { return }
    starts[fork.child.process] = starts[fork.parent.process]
  }

  /// A program was replaced.
  mutating func noteNewAddressSpace(_ process: Int32) {
    starts[process] = nil
    asked.remove(process)
    lastKnown = -1
  }

  /// A thread ended; with the last one its process's number may come back.
  mutating func noteExit(_ thread: ThreadIdentity) {
    if thread.process == thread.thread { noteNewAddressSpace(thread.process) }
  }

  /// A signal was delivered: at the trampoline it means that there was no return instance.
  mutating func note(_ signal: SignalDelivery) {
    // SIGILL, or SIGTRAP on some kernels.
    guard signal.number == 4 || signal.number == 5,
      let start = starts[signal.thread.process],
      signal.instructionPointer >= start,
      signal.instructionPointer - start < Self.trampolineBytes
    else { return }
    add(KernelFact(.noInstanceSignalCode, String(signal.code)))
  }

  /// Asks the process itself, for when the record of the mapping was lost.
  mutating func lookUp(_ process: Int32) -> Mapping? {
    asked.insert(process)
    let mapping = ProcessMaps.executable(of: process).first { $0.path == Mapping.uprobesName }
    if let mapping { note(mapping) }
    return mapping
  }

  private mutating func add(_ fact: KernelFact) {
    if !facts.contains(where: { $0.name == fact.name }) { facts.append(fact) }
  }
}
