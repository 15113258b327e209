import ProbeEvents

/// The stacks that a thread was seen to use. A stack pointer within 1 MiB of a known stack is on it;
/// any other begins a new one.
struct StackRegions {
  private struct Region {
    var origin: Address, low: Address, high: Address
  }

  private static let reach: UInt64 = 1 << 20
  private var regions: [Region] = []
  private var last = 0

  /// A stack pointer, which may begin a new stack.
  mutating func place(of stackPointer: Address) -> NormalAddress {
    if let known = find(stackPointer) {
      last = known
      regions[known].low = min(regions[known].low, stackPointer)
      regions[known].high = max(regions[known].high, stackPointer)
      return offset(stackPointer, known)
    }
    regions.append(Region(origin: stackPointer, low: stackPointer, high: stackPointer))
    last = regions.count - 1
    return .stack(number: last, offset: 0)
  }

  /// Any address; nil when it lies on no stack.
  func known(_ address: Address) -> NormalAddress? {
    find(address).map { offset(address, $0) }
  }

  private func offset(_ address: Address, _ region: Int) -> NormalAddress {
    .stack(
      number: region, offset: Int64(bitPattern: address &- regions[region].origin))
  }

  private func find(_ address: Address) -> Int? {
    if last < regions.count, holds(regions[last], address) { return last }
    return regions.firstIndex { holds($0, address) }
  }

  private func holds(_ region: Region, _ address: Address) -> Bool {
    let low = region.low >= Self.reach ? region.low - Self.reach : 0
    let high = region.high <= .max - Self.reach ? region.high + Self.reach : .max
    return address >= low && address <= high
  }
}
