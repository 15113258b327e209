import ProbeEvents
import TapeFormat

/// Makes hits look as they would have been recorded had some calls not been probed.
///
/// A probed call has the trampoline in its slot from its entry on. Where the call is left out, later
/// windows, and the entry of a tail call out of it, must show the address it returns to instead,
/// until another call that is kept puts the trampoline there.
struct SlotPatch {
  private let layout: RegisterLayout
  private let wantsReturn: [Bool]
  private var trampolines: [Int32: Address] = [:]
  /// By process and slot, the return address of a call that is left out.
  private var restored: [Int32: [Address: Address]] = [:]

  init(_ header: TapeHeader) {
    layout = header.kernel.architecture.registerLayout
    wantsReturn = header.probes.map(\.wantsReturn)
  }

  /// Follows an event, kept or not.
  mutating func follow(_ event: SideEvent) {
    switch event {
    case .mapping(let mapping) where mapping.path == Mapping.uprobesName:
      trampolines[mapping.process] = mapping.start
    case .fork(let fork) where fork.child.process != fork.parent.process:
      trampolines[fork.child.process] = trampolines[fork.parent.process]
      restored[fork.child.process] = restored[fork.parent.process]
    case .exec(let thread, _):
      trampolines[thread.process] = nil
      restored[thread.process] = nil
    case .mapping, .fork, .threadName, .exit, .signal, .lost, .attached, .witness: break
    }
  }

  /// A hit that is left out.
  mutating func leaveOut(_ hit: Hit, firstWord: UInt64?) {
    guard hit.kind == .entry, let address = returnAddress(hit, firstWord) else { return }
    let process = hit.thread.process
    // A tail call out of a call that is left out has that one's return address.
    guard address != trampolines[process] else { return }
    restored[process, default: [:]][hit.registers[layout.stackPointer]] = address
  }

  /// A hit that is kept, with its window: as it would have been recorded.
  mutating func keep(_ hit: inout Hit, _ window: inout [UInt64]) {
    let process = hit.thread.process
    guard let slots = restored[process], !slots.isEmpty, let trampoline = trampolines[process]
    else { return }
    let stackPointer = hit.registers[layout.stackPointer]
    let step: UInt64 = hit.flags.contains(.compat) ? 4 : 8
    if step == 8 {
      for place in window.indices where window[place] == trampoline {
        if let address = slots[stackPointer &+ UInt64(place) &* 8] { window[place] = address }
      }
    } else {
      patchHalves(&window, stackPointer, trampoline, slots)
    }
    guard hit.kind == .entry else { return }
    if let link = layout.linkRegister, hit.registers[link] == trampoline,
      let address = slots[stackPointer]
    {
      hit.registers[link] = address
    }
    // From here on the slot is this call's own, if the kernel puts the trampoline there for it.
    if wantsReturn[Int(hit.probe)] { restored[process]?[stackPointer] = nil }
  }

  private func patchHalves(
    _ window: inout [UInt64], _ stackPointer: Address, _ trampoline: Address,
    _ slots: [Address: Address]
  ) {
    for place in window.indices {
      for half in [UInt64(0), 1] where window[place] >> (half * 32) & 0xFFFF_FFFF == trampoline {
        let slot = stackPointer &+ UInt64(place) &* 8 &+ half &* 4
        guard let address = slots[slot] else { continue }
        window[place] &= half == 0 ? 0xFFFF_FFFF_0000_0000 : 0xFFFF_FFFF
        window[place] |= (address & 0xFFFF_FFFF) << (half * 32)
      }
    }
  }

  private func returnAddress(_ hit: Hit, _ firstWord: UInt64?) -> Address? {
    if let link = layout.linkRegister { return hit.registers[link] }
    return hit.flags.contains(.compat) ? firstWord.map { $0 & 0xFFFF_FFFF } : firstWord
  }
}
