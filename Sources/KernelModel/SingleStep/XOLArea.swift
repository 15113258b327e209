public import ProbeEvents

/// The page of a process where copies of probed instructions are executed, and where the return
/// trampoline is: `[uprobes]`.
///
/// Kernel: kernel/events/uprobes.c `struct xol_area`
public struct XOLArea: Sendable, Hashable {
  /// Size of the page in bytes.
  public static let pageBytes: UInt64 = 4096

  /// Address of the page.
  public let address: Address
  /// Size of a slot in bytes.
  public let slotBytes: UInt64
  /// Which slots are taken, by number.
  public private(set) var taken: [Bool]

  /// The address of the return trampoline, in slot 0.
  ///
  /// Kernel: kernel/events/uprobes.c get_trampoline_vaddr()
  public var trampoline: Address { address }

  /// How many slots are taken, the trampoline's included.
  public var takenCount: Int { taken.count { $0 } }

  /// A page at an address, with slot 0 taken by the trampoline.
  ///
  /// Kernel: kernel/events/uprobes.c __create_xol_area()
  public init(address: Address, slotBytes: UInt64) {
    // At least the trampoline's slot, at most one per byte.
    let bytes = min(max(slotBytes, 1), Self.pageBytes)
    self.address = address
    self.slotBytes = bytes
    taken = Array(repeating: false, count: Int(Self.pageBytes / bytes))
    taken[0] = true
  }

  /// Takes the first free slot and returns its address; nil when the task has to wait for one.
  ///
  /// Kernel: kernel/events/uprobes.c xol_take_insn_slot(), xol_get_slot_nr()
  public mutating func takeSlot() -> Address? {
    guard let number = taken.firstIndex(of: false) else { return nil }
    taken[number] = true
    return address &+ UInt64(number) &* slotBytes
  }

  /// Gives back the slot that contains an address. Addresses outside the page change nothing, nor
  /// do those in the trampoline's slot, which no task is ever given.
  ///
  /// Kernel: kernel/events/uprobes.c xol_free_insn_slot()
  public mutating func freeSlot(at slot: Address) {
    let offset = slot &- address
    guard offset < Self.pageBytes else { return }
    let number = Int(offset / slotBytes)
    guard number > 0, number < taken.count else { return }
    taken[number] = false
  }
}
