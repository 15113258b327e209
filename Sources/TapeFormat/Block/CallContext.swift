import ProbeEvents

/// Where in its program a thread is, as far as its hits tell; predictions are looked up by it.
///
/// A hit's *site* is where its call returns to. Sixteen bits of a hash of site and kind are the
/// hit's signature, and the last four signatures are the thread's history.
enum CallContext {
  /// 2^64 divided by the golden ratio, as in Knuth's multiplicative hashing.
  static let multiplier: UInt64 = 0x9E37_79B9_7F4A_7C15
  static let historySlots = 4096
  static let siteSlots = 1024

  @inline(__always)
  static func signature(site: UInt64, kind: HitKind) -> UInt64 {
    ((site << 1 | UInt64(kind.rawValue)) &* multiplier) >> 48
  }

  /// The slot of a history, of 4096.
  @inline(__always)
  static func historySlot(_ history: UInt64) -> Int {
    Int(truncatingIfNeeded: (history &* multiplier) >> 52)
  }
}

/// What differs between architectures in where a call returns to.
struct CallConvention {
  /// Whether the return address is in the link register rather than at the stack pointer.
  let hasLink: Bool
  /// The bit of `HitFlags.compat`, which as a static of another module would cost a call each time.
  private static let compatBit: UInt8 = 1

  /// How far a return moves the stack pointer up from its value at the entry.
  @inline(__always)
  func returnStep(_ flags: HitFlags) -> UInt64 {
    if hasLink { return 0 }
    return flags.rawValue & Self.compatBit != 0 ? 4 : 8
  }

  /// The return address from the first stack word.
  @inline(__always)
  func returnAddress(word: UInt64, _ flags: HitFlags) -> UInt64 {
    flags.rawValue & Self.compatBit != 0 ? word & 0xFFFF_FFFF : word
  }
}

/// What is known of a thread when its next hit comes. All zero at the start of a block.
struct ThreadState {
  /// The last four signatures, the youngest in the low bits.
  var history: UInt64 = 0
  var stackPointer: UInt64 = 0
  /// The link register of the last return.
  var linkAtReturn: UInt64 = 0
  /// The thread's last hit, by index plus one.
  var hit: UInt32 = 0
  /// The youngest entry that may still return, by index plus one; see ``OpenCalls``.
  var call: UInt32 = 0
  var windowLength: UInt32 = 0
  var flags: HitFlags = []
}

/// The entries of each thread that may still return, as linked lists through the block's hits.
/// Hits are named by their index plus one; 0 is none.
struct OpenCalls {
  private let below: Table<UInt32>
  private let stackPointers: Table<UInt64>

  /// No calls; `stackPointers` is the column that the hits are in.
  init(_ memory: ModelMemory, stackPointers: Table<UInt64>) {
    below = memory.below
    self.stackPointers = stackPointers
  }

  @inline(__always)
  func pop(_ state: inout ThreadState) -> Int {
    let top = Int(state.call)
    // Calls are only ever hits that were pushed, so hits of this block.
    if top != 0 { state.call = unsafe below[unchecked: top &- 1] }
    return top
  }

  @inline(__always)
  func push(_ hit: Int, _ state: inout ThreadState) {
    // The index is below the number of hits, for which there is memory.
    unsafe below[unchecked: hit] = state.call
    state.call = UInt32(truncatingIfNeeded: hit &+ 1)
  }

  /// Drops entries whose stack pointer lies below one that their thread has now: their frames are
  /// gone without a return.
  @inline(__always)
  func drop(below stackPointer: UInt64, _ state: inout ThreadState) {
    // Calls are only ever hits that were pushed, so hits of this block.
    while state.call != 0, unsafe stackPointers[unchecked: Int(state.call) &- 1] < stackPointer {
      state.call = unsafe below[unchecked: Int(state.call) &- 1]
    }
  }
}
