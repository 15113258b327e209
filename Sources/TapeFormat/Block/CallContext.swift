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

  /// The slot of a whole history.
  @inline(__always)
  static func historySlot(_ history: UInt64) -> Int {
    Int(truncatingIfNeeded: (history &* multiplier) >> 52)
  }

  /// The slot of a history's last signature alone.
  @inline(__always)
  static func latestSlot(_ history: UInt64) -> Int {
    historySlot(history & 0xFFFF)
  }

  /// The slot of a signature in tables by site.
  @inline(__always)
  static func siteSlot(_ signature: UInt64) -> Int {
    Int(truncatingIfNeeded: signature & 1023)
  }
}

/// What differs between architectures in where a call returns to.
struct CallConvention {
  /// Whether the return address is in the link register rather than at the stack pointer.
  let hasLink: Bool

  /// How far a return moves the stack pointer up from its value at the entry.
  @inline(__always)
  func returnStep(_ flags: HitFlags) -> UInt64 {
    if hasLink { return 0 }
    return flags.contains(.compat) ? 4 : 8
  }

  /// The return address from the first stack word.
  @inline(__always)
  func returnAddress(word: UInt64, _ flags: HitFlags) -> UInt64 {
    flags.contains(.compat) ? word & 0xFFFF_FFFF : word
  }
}

/// The entries of each thread that may still return, as linked lists through the block's hits.
/// Hits are named by their index plus one; 0 is none.
struct OpenCalls {
  private let threads: Table<ModelMemory.ThreadState>
  private let below: Table<UInt32>
  private let stackPointers: Table<UInt64>

  init(_ memory: ModelMemory) {
    threads = memory.threads
    below = memory.below
    stackPointers = memory.callStackPointers
  }

  @inline(__always)
  func pop(_ thread: Int) -> Int {
    let top = threads[thread].call
    if top != 0 { threads[thread].call = below[Int(top) - 1] }
    return Int(top)
  }

  @inline(__always)
  func push(_ hit: Int, _ thread: Int, stackPointer: UInt64) {
    stackPointers[hit] = stackPointer
    below[hit] = threads[thread].call
    threads[thread].call = UInt32(hit + 1)
  }

  /// Drops entries whose stack pointer lies below one that their thread has now: their frames are
  /// gone without a return.
  @inline(__always)
  func drop(below stackPointer: UInt64, _ thread: Int) {
    var top = threads[thread].call
    while top != 0, stackPointers[Int(top) - 1] < stackPointer { top = below[Int(top) - 1] }
    threads[thread].call = top
  }
}
