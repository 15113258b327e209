import ProbeEvents

/// The text form of side events.
enum SideEventText {
  static func describe(_ event: SideEvent, _ addresses: AddressBook) -> String {
    switch event {
    case .mapping(let mapping):
      return "mapping \(mapping.process) \(hexadecimal(mapping.start))+"
        + "\(hexadecimal(mapping.length)) \(printable(mapping.path)) offset \(hexadecimal(mapping.fileOffset))"
    case .threadName(let identity, let name): return "name \(identity.thread) \(printable(name))"
    case .fork(let fork): return describe(fork)
    case .exec(let identity, let name): return "exec \(identity.thread) \(printable(name))"
    case .exit(let identity): return "exit \(identity.process)/\(identity.thread)"
    case .signal(let delivery):
      let place = addresses.text(delivery.instructionPointer, in: delivery.thread.process)
      return "signal \(delivery.number) code \(delivery.code) to \(delivery.thread.thread) "
        + "at \(place), \(delivery.isHandled ? "handled" : "not handled")"
    case .lost(let hits): return "LOST \(describe(hits))"
    case .attached(let identity): return "attached \(identity.process)/\(identity.thread)"
    case .witness(let witness): return describe(witness, addresses)
    }
  }

  /// How many records were lost, and where if that is known.
  static func describe(_ hits: LostHits) -> String {
    let place = hits.cpu == LostHits.unknownCPU ? "" : " of CPU \(hits.cpu)"
    return "\(hits.count) records\(place)"
  }

  private static func describe(_ witness: Witness, _ addresses: AddressBook) -> String {
    let moment =
      switch witness.moment {
      case .entry: "at the entry"
      case .return: "at the return"
      case .beforeTrampoline: "before the trampoline"
      case .afterTrampoline: "after the trampoline"
      }
    let list = witness.instances.reversed().map { instance in
      let function = addresses.text(instance.function, in: witness.thread.process)
      return
        "\(function)@\(hexadecimal(instance.stackPointer))\(instance.isChained ? " chained" : "")"
    }
    return "witness \(moment) of \(witness.thread.thread), depth \(witness.depth): "
      + "[\(list.joined(separator: ", "))]"
  }

  private static func describe(_ fork: TaskFork) -> String {
    let flags = fork.cloneFlags.map { " flags " + hexadecimal($0) } ?? ""
    return "fork \(fork.parent.process)/\(fork.parent.thread) -> "
      + "\(fork.child.process)/\(fork.child.thread)\(flags)"
  }
}
