import ProbeEvents
import Replay

/// The return instances of all tasks, in the order in which the kernel lists them, by what its model
/// concluded about each hit.
///
/// Where nothing was concluded, nothing is known: the list is empty then.
struct InstanceLists {
  /// One return instance.
  struct Instance: BitwiseCopyable {
    /// The hit that pushed it.
    var entry: UInt64
    /// Stack pointer of the call.
    var slot: Address
    /// Where the call really returns to.
    var original: Address
  }

  private var lists: [ThreadIdentity: [Instance]] = [:]

  /// Instances of a task, oldest first.
  func list(of thread: ThreadIdentity) -> [Instance] { lists[thread] ?? [] }

  /// Brings a task's list to what it is while the handlers of a hit run: an instance that returns is
  /// off the list before its handlers run, and so are all that were newer.
  ///
  /// Kernel: kernel/events/uprobes.c uprobe_handle_trampoline() (6.11 and later, those that repair
  /// callchains)
  mutating func prepare(_ thread: ThreadIdentity, _ concluded: HitConclusion?) {
    switch concluded {
    case .returned(let instance, _):
      guard var list = lists[thread] else { return }
      let number = EntryNumber.hit(instance.entry)
      list.removeAll { $0.entry >= number }
      lists[thread] = list
    case .returnOfUnseenEntry, .signal, .unjudged, .diverged, nil: lists[thread] = nil
    case .entry: break
    }
  }

  /// Follows a hit; `returnAddress` is what the program had as return address.
  mutating func note(
    hit: UInt64, _ thread: ThreadIdentity, stackPointer: Address, returnAddress: Address?,
    _ concluded: HitConclusion?
  ) {
    guard case .entry(let entry) = concluded else { return }
    var list = lists[thread] ?? []
    list.removeLast(min(Int(entry.dropped), list.count))
    let original =
      switch entry.outcome {
      case .pushed: returnAddress
      case .chained: list.last?.original
      case .noReturnProbe, .omittedAtDepthLimit, .chainWithoutInstance, .hijackFailed:
        nil as Address?
      }
    if let original {
      list.append(Instance(entry: hit, slot: stackPointer, original: original))
    }
    lists[thread] = list
  }

  /// Follows forks, new programs and ends.
  ///
  /// Kernel: kernel/events/uprobes.c uprobe_copy_process()
  mutating func note(_ event: SideEvent) {
    switch event {
    case .fork(let fork):
      let isThread =
        fork.cloneFlags.map { $0 & TaskFork.cloneVM != 0 && $0 & TaskFork.cloneVfork == 0 }
        ?? (fork.child.process == fork.parent.process)
      lists[fork.child] = isThread ? nil : lists[fork.parent]
    case .exec(let thread, _):
      for other in lists.keys where other.process == thread.process { lists[other] = nil }
    case .exit(let thread): lists[thread] = nil
    case .mapping, .threadName, .signal, .lost, .attached, .witness: break
    }
  }
}
