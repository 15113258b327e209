import ProbeEvents

/// The mappings seen so far, to print addresses as mapping and offset.
struct AddressBook {
  private var mappings: [Int32: [Mapping]] = [:]

  /// Follows mappings, forks and execs.
  mutating func note(_ event: SideEvent) {
    switch event {
    case .mapping(let mapping):
      mappings[mapping.process, default: []].removeAll {
        $0.start < mapping.start &+ mapping.length && mapping.start < $0.start &+ $0.length
      }
      mappings[mapping.process, default: []].append(mapping)
    case .fork(let fork) where fork.child.process != fork.parent.process:
      mappings[fork.child.process] = mappings[fork.parent.process]
    case .exec(let identity, _):
      mappings[identity.process] = nil
    case .fork, .threadName, .exit, .signal, .lost, .attached, .witness: break
    }
  }

  /// The address as `file+0xoffset`, `trampoline`, or plain.
  func text(_ address: Address, in process: Int32) -> String {
    let mapping = mappings[process]?.last {
      address >= $0.start && address - $0.start < $0.length
    }
    guard let mapping else { return hexadecimal(address) }
    let offset = address - mapping.start
    if mapping.path == Mapping.uprobesName {
      return offset == 0 ? "trampoline" : "trampoline+" + hexadecimal(offset)
    }
    let name = mapping.path.split(separator: "/").last.map(String.init) ?? mapping.path
    return printable(name) + "+" + hexadecimal(offset &+ mapping.fileOffset)
  }
}
