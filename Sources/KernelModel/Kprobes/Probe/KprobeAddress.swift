internal import ProbeEvents

/// Where a probe goes.
struct ResolvedKprobeAddress: Equatable {
  var address: Address
  var isFunctionEntry: Bool
}

extension KprobeRules {
  /// The address of a probe from what its owner gave.
  ///
  /// Kernel: kernel/kprobes.c _kprobe_addr(), arch/x86/kernel/kprobes/core.c
  /// arch_adjust_kprobe_addr() (5.18)
  func resolve(_ probe: Kprobe, in text: KernelText) throws(KprobeError) -> ResolvedKprobeAddress {
    let base: Address
    switch (probe.address, probe.symbol) {
    case (nil, nil), (_?, _?): throw .addressXorSymbol
    case (let address?, nil): base = address
    case (nil, let name?):
      guard let symbol = text.symbol(named: name) else { throw .symbolNotFound }
      base = symbol.address
    }
    let address = base &+ probe.offset

    switch landingPad {
    case .kept:
      // Only an address of zero is turned down here.
      guard address != 0 else { throw .addressXorSymbol }
      let isEntry = text.symbol(containing: address)?.address == address
      return ResolvedKprobeAddress(address: address, isFunctionEntry: isEntry)
    case .symbolOnly, .skipped:
      guard let symbol = text.symbol(containing: address) else { throw .addressWithoutSymbol }
      let offset = address - symbol.address
      guard landingPad == .skipped, symbol.entry != .plain else {
        return ResolvedKprobeAddress(address: address, isFunctionEntry: offset == 0)
      }
      guard symbol.entry == .landingPad else { throw .entryUnreadable }
      // The pad and the instruction behind it are the same place.
      guard offset == 0 || offset == 4 else {
        return ResolvedKprobeAddress(address: address, isFunctionEntry: false)
      }
      return ResolvedKprobeAddress(address: symbol.address &+ 4, isFunctionEntry: true)
    }
  }
}
