import ProbeEvents
import Replay

/// Follows the return instances of all tasks by what the kernel's model concluded about each hit,
/// so that trampolines can be put back.
///
/// Where nothing was concluded (hits were lost, the tape diverged), what the tape itself shows is
/// used: at an entry with a return probe, the return address that is about to be replaced.
struct SlotFollower {
  private let architecture: Architecture
  private let wantsReturn: [Bool]
  private var spaceOfProcess: [Int32: Int] = [:]
  private var spaces: [ReturnSlots] = []
  private var free: [Int] = []
  private var users: [Int] = []

  init(architecture: Architecture, probes: [Probe]) {
    self.architecture = architecture
    wantsReturn = probes.map(\.wantsReturn)
  }

  /// The slots of a process.
  mutating func slots(of process: Int32) -> ReturnSlots { spaces[space(of: process)] }

  /// Takes out what a hit contradicts, before its stack is looked at: a trampoline as return address
  /// that no call left there was put there by the program.
  mutating func prepare(
    _ thread: ThreadIdentity, stackPointer: Address, _ concluded: AnnotatedConclusion?
  ) {
    guard case .entry(let entry) = concluded?.conclusion, entry.outcome == .chainWithoutInstance
    else { return }
    spaces[space(of: thread.process)].forget(stackPointer)
  }

  /// Follows forks, new programs and ends.
  mutating func note(_ event: SideEvent) {
    switch event {
    case .fork(let fork): note(fork)
    case .exec(let thread, _):
      release(thread.process)
      _ = space(of: thread.process)
    case .exit(let thread):
      spaces[space(of: thread.process)].remove(thread)
      // A process is known by its first thread; when that ends, others rarely go on.
      if thread.process == thread.thread, spaces[space(of: thread.process)].pending.isEmpty {
        release(thread.process)
      }
    case .mapping, .threadName, .signal, .lost, .attached, .witness: break
    }
  }

  /// Follows a hit; `returnAddress` is what the program had when it was entered.
  mutating func note(
    _ kind: HitKind, _ thread: ThreadIdentity, probe: UInt32, stackPointer: Address,
    returnAddress: Address?, trampoline: Address, _ concluded: AnnotatedConclusion?
  ) {
    let space = space(of: thread.process)
    switch concluded?.conclusion {
    case .entry(let entry):
      // The dead ones go first, then the new one comes.
      let isNew = entry.outcome == .pushed || entry.outcome == .chained
      spaces[space].keep((concluded?.depth ?? 0) - (isNew ? 1 : 0), of: thread)
      let original =
        switch entry.outcome {
        case .pushed: returnAddress
        case .chained: spaces[space].newestOriginal(of: thread)
        case .noReturnProbe, .omittedAtDepthLimit, .chainWithoutInstance, .hijackFailed:
          nil as Address?
        }
      if let original { spaces[space].push(thread, stackPointer, original: original) }
    case .returned, .returnOfUnseenEntry, .signal:
      spaces[space].keep(concluded?.depth ?? 0, of: thread)
    case .unjudged, .diverged, nil:
      spaces[space].leave(below: stackPointer, of: thread)
      guard kind == .entry, wantsReturn[Int(probe)], let returnAddress,
        returnAddress != trampoline || trampoline == 0
      else { return }
      spaces[space].push(thread, stackPointer, original: returnAddress)
    }
  }

  private mutating func note(_ fork: TaskFork) {
    let parent = fork.parent.process
    if fork.child.process != parent {
      let isShared = (fork.cloneFlags ?? 0) & TaskFork.cloneVM != 0
      let source = space(of: parent)
      release(fork.child.process)
      if isShared {
        users[source] += 1
        spaceOfProcess[fork.child.process] = source
      } else {
        spaceOfProcess[fork.child.process] = make(ReturnSlots(copying: spaces[source]))
      }
    }
    spaces[space(of: fork.child.process)].copy(from: fork.parent, to: fork.child)
  }

  private mutating func space(of process: Int32) -> Int {
    if let known = spaceOfProcess[process] { return known }
    let space = make(ReturnSlots())
    spaceOfProcess[process] = space
    return space
  }

  private mutating func make(_ slots: ReturnSlots) -> Int {
    if let space = free.popLast() {
      spaces[space] = slots
      users[space] = 1
      return space
    }
    spaces.append(slots)
    users.append(1)
    return spaces.count - 1
  }

  private mutating func release(_ process: Int32) {
    guard let space = spaceOfProcess.removeValue(forKey: process) else { return }
    users[space] -= 1
    guard users[space] == 0 else { return }
    spaces[space] = ReturnSlots()
    free.append(space)
  }
}
