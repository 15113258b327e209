public import ProbeEvents

/// The functions that must not be probed, because kprobes themselves or the entry code depend on
/// them.
///
/// Kernel: kernel/kprobes.c kprobe_blacklist
public struct KprobeBlacklist: Sendable, Hashable {
  /// The stretches on the list, in the order in which they came.
  public internal(set) var entries: [Range<Address>] = []
  /// The section of probe code, which older kernels test apart (`__kprobes`).
  public var probeText: Range<Address> = 0..<0

  /// An empty list.
  public init() {}

  /// Puts the function an address is in on the list, from the address to the function's size behind
  /// it. Returns how many bytes that is.
  ///
  /// Kernel: kernel/kprobes.c kprobe_add_ksym_blacklist() (5.0), populate_kprobe_blacklist()
  @discardableResult
  public mutating func add(
    functionAt address: Address, in text: KernelText
  ) throws(KprobeError) -> UInt64 {
    guard text.core.contains(address) || text.module(containing: address) != nil else {
      throw .notText
    }
    guard let symbol = text.symbol(containing: address) else { throw .addressWithoutSymbol }
    let (end, overflows) = address.addingReportingOverflow(symbol.size)
    entries.append(address..<(overflows ? .max : end))
    return symbol.size
  }

  /// Puts all functions of a stretch on the list. It ends at the first address without a function.
  ///
  /// Kernel: kernel/kprobes.c kprobe_add_area_blacklist() (5.0)
  public mutating func add(area: Range<Address>, in text: KernelText) throws(KprobeError) {
    var address = area.lowerBound
    while address < area.upperBound {
      let size = try add(functionAt: address, in: text)
      let (next, overflows) = address.addingReportingOverflow(max(size, 1))
      guard !overflows else { return }
      address = next
    }
  }

  /// Puts a module's functions and sections on the list. What cannot be found is passed over.
  ///
  /// Kernel: kernel/kprobes.c add_module_kprobe_blacklist() (5.8)
  mutating func add(_ module: KernelModule, in text: KernelText) {
    for address in module.blacklist { _ = try? add(functionAt: address, in: text) }
    for area in module.blacklistedAreas { try? add(area: area, in: text) }
  }

  /// Takes a module's functions and sections off the list, by where the stretches start.
  ///
  /// Kernel: kernel/kprobes.c remove_module_kprobe_blacklist() (5.8)
  mutating func remove(_ module: KernelModule) {
    entries.removeAll { entry in
      module.blacklist.contains(entry.lowerBound)
        || module.blacklistedAreas.contains { $0.contains(entry.lowerBound) }
    }
  }

  /// Whether an address must not be probed.
  ///
  /// Kernel: kernel/kprobes.c within_kprobe_blacklist()
  public func contains(_ address: Address, in text: KernelText, rules: KprobeRules) -> Bool {
    if covers(address) { return true }
    switch rules.blacklist {
    case .byName, .annotated: return false
    case .areas, .areasOfModules:
      // The compiler splits functions (`f.cold`, `f.isra.0`); the parts follow the whole.
      guard let name = text.symbol(containing: address)?.name,
        let dot = name.utf8.firstIndex(of: UInt8(ascii: ".")),
        let whole = text.symbol(named: String(name[..<dot]))
      else { return false }
      return covers(whole.address)
    }
  }

  private func covers(_ address: Address) -> Bool {
    probeText.contains(address) || entries.contains { $0.contains(address) }
  }
}
