import ProbeEvents

/// A frame as an engine finds it.
struct RawFrame: BitwiseCopyable {
  /// The address in memory.
  var address: Address
  /// See ``StackFrame/isExact``.
  var isExact: Bool

  /// The address of a byte that belongs to the instruction in question.
  var lookupAddress: Address { isExact || address == 0 ? address : address - 1 }
}

extension StackEnding {
  /// Why there is nothing behind a frame at an address, where `next` came out as the next one's.
  init(at address: Address, leadingTo next: Address?, _ memory: HitMemory, _ images: SpaceImages) {
    if memory.ranOut {
      self = .windowEnd
    } else if let next, next != 0, images.map.area(at: next)?.isTrampoline == true {
      self = .unknownTrampoline
    } else {
      self = images.mapped(at: address) == nil ? .noFile : .noUnwindInformation
    }
  }
}

/// Walks one stack with a library.
protocol StackEngine: AnyObject {
  /// Appends the frames of the hit in `memory`, innermost first, and says why there are no more.
  ///
  /// - Parameter isEntry: the hit is at a function's first instruction, so that the return address is
  ///   where a call puts it, also without unwind information.
  func unwind(
    _ memory: HitMemory, _ images: SpaceImages, number: UInt32, isEntry: Bool,
    into frames: inout [RawFrame]
  ) -> StackEnding
}

/// What all engines keep to.
enum StackLimit {
  /// Frames of one stack.
  static let frames = 1024
  /// Address spaces that an engine keeps something of.
  static let spaces = 16
}

/// The address spaces that were used last, each with what an engine keeps of it.
struct RecentSpaces<Kept> {
  private var kept: [(number: UInt32, value: Kept, lastUse: UInt64)] = []
  private var uses: UInt64 = 0

  /// What is kept of a space; made when there is nothing, in the place of what was not used for
  /// longest, which is given to `drop`.
  mutating func value(
    _ number: UInt32, make: () -> Kept, drop: (Kept) -> Void
  ) -> Kept {
    uses += 1
    if let place = kept.firstIndex(where: { $0.number == number }) {
      kept[place].lastUse = uses
      return kept[place].value
    }
    let fresh = make()
    if kept.count >= StackLimit.spaces,
      let oldest = kept.indices.min(by: { kept[$0].lastUse < kept[$1].lastUse })
    {
      drop(kept[oldest].value)
      kept.remove(at: oldest)
    }
    kept.append((number, fresh, uses))
    return fresh
  }

  /// Gives everything up.
  mutating func removeAll(drop: (Kept) -> Void) {
    for entry in kept { drop(entry.value) }
    kept = []
  }
}
