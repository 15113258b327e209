import ProbeEvents

/// The judged columns of one block for the judging loop: checked once as a whole, then read without
/// further checks.
///
/// Only ``HitColumns/withView(probes:_:)`` makes one, and it must not leave the closure.
@safe struct HitView {
  let count: Int
  private let kinds: UnsafeBufferPointer<HitKind>
  private let flags: UnsafeBufferPointer<HitFlags>
  private let probes: UnsafeBufferPointer<UInt32>
  private let threads: UnsafeBufferPointer<UInt32>
  private let instructionPointers: UnsafeBufferPointer<Address>
  private let stackPointers: UnsafeBufferPointer<Address>
  private let linkRegisters: UnsafeBufferPointer<Address>
  private let functions: UnsafeBufferPointer<Address>
  private let windowStarts: UnsafeBufferPointer<UInt32>
  private let windowWords: UnsafeBufferPointer<UInt64>
  private let times: UnsafeBufferPointer<UInt64>
  /// The bit of `HitFlags.compat`, which as a static of another module would cost a call each time.
  private static var compatBit: UInt8 { 1 }

  // In all accessors: `hit` comes from the loop over `0..<count`, and every column was checked to
  // have `count` elements.

  @inline(__always) func kind(_ hit: Int) -> HitKind { unsafe kinds[hit] }
  @inline(__always) func isCompat(_ hit: Int) -> Bool {
    unsafe flags[hit].rawValue & Self.compatBit != 0
  }
  @inline(__always) func probe(_ hit: Int) -> UInt32 { unsafe probes[hit] }
  @inline(__always) func thread(_ hit: Int) -> Int { unsafe Int(threads[hit]) }
  @inline(__always) func stackPointer(_ hit: Int) -> Address { unsafe stackPointers[hit] }
  @inline(__always) func function(_ hit: Int) -> Address { unsafe functions[hit] }

  @inline(__always) func instructionPointer(_ hit: Int) -> Address {
    unsafe instructionPointers[hit]
  }

  /// The link register; 0 where the architecture has none.
  @inline(__always) func linkRegister(_ hit: Int) -> Address {
    unsafe linkRegisters.isEmpty ? 0 : linkRegisters[hit]
  }

  /// CLOCK_MONOTONIC nanoseconds; 0 when the column was not asked for.
  @inline(__always) func time(_ hit: Int) -> UInt64 {
    unsafe times.isEmpty ? 0 : times[hit]
  }

  /// Where the hit's window lies among all window words.
  @inline(__always) func windowRange(_ hit: Int) -> Range<Int> {
    // There is one more start than hits, and they ascend.
    unsafe Range(uncheckedBounds: (Int(windowStarts[hit]), Int(windowStarts[hit &+ 1])))
  }

  /// A word by its place among all window words: one inside a `windowRange`, whose bounds were
  /// checked not to exceed the words.
  @inline(__always) func word(_ place: Int) -> UInt64 { unsafe windowWords[place] }

  /// A hit's whole window.
  @inline(__always) func window(_ hit: Int) -> UnsafeBufferPointer<UInt64> {
    unsafe UnsafeBufferPointer(rebasing: windowWords[windowRange(hit)])
  }

  fileprivate init(
    _ columns: borrowing HitColumns, threadCount: Int, probeCount: Int,
    kinds: UnsafeBufferPointer<HitKind>, flags: UnsafeBufferPointer<HitFlags>,
    probes: UnsafeBufferPointer<UInt32>, threads: UnsafeBufferPointer<UInt32>,
    instructionPointers: UnsafeBufferPointer<Address>,
    stackPointers: UnsafeBufferPointer<Address>, linkRegisters: UnsafeBufferPointer<Address>,
    functions: UnsafeBufferPointer<Address>, windowStarts: UnsafeBufferPointer<UInt32>,
    windowWords: UnsafeBufferPointer<UInt64>, times: UnsafeBufferPointer<UInt64>
  ) {
    count = columns.count
    unsafe self.kinds = kinds
    unsafe self.flags = flags
    unsafe self.probes = probes
    unsafe self.threads = threads
    unsafe self.instructionPointers = instructionPointers
    unsafe self.stackPointers = stackPointers
    unsafe self.linkRegisters = linkRegisters
    unsafe self.functions = functions
    unsafe self.windowStarts = windowStarts
    unsafe self.windowWords = windowWords
    unsafe self.times = times
    precondition(
      kinds.count == count && flags.count == count && probes.count == count
        && threads.count == count && instructionPointers.count == count
        && stackPointers.count == count && functions.count == count
        && windowStarts.count == count + 1 && (times.isEmpty || times.count == count)
        && (linkRegisters.isEmpty || linkRegisters.count == count), "columns of unequal length")
    var start: UInt32 = 0
    for hit in 0..<count {
      unsafe precondition(threads[hit] < threadCount && probes[hit] < probeCount)
      unsafe precondition(windowStarts[hit + 1] >= start)
      unsafe start = windowStarts[hit + 1]
    }
    unsafe precondition(windowStarts[0] == 0 && Int(start) <= windowWords.count)
  }
}

extension HitColumns {
  /// Calls `body` with a checked view of the judged columns.
  borrowing func withView(probes probeCount: Int, _ body: (HitView) -> Void) {
    // Each pointer is used inside the closures that lend it, and nowhere else.
    unsafe kinds.withUnsafeBufferPointer { kinds in
      unsafe flags.withUnsafeBufferPointer { flags in
        unsafe probes.withUnsafeBufferPointer { probes in
          unsafe threads.withUnsafeBufferPointer { threads in
            unsafe instructionPointers.withUnsafeBufferPointer { ip in
              unsafe stackPointers.withUnsafeBufferPointer { sp in
                unsafe linkRegisters.withUnsafeBufferPointer { link in
                  unsafe functions.withUnsafeBufferPointer { functions in
                    unsafe windowStarts.withUnsafeBufferPointer { starts in
                      unsafe windowWords.withUnsafeBufferPointer { words in
                        unsafe times.withUnsafeBufferPointer { times in
                          body(
                            unsafe HitView(
                              self, threadCount: threadTable.count, probeCount: probeCount,
                              kinds: kinds, flags: flags, probes: probes, threads: threads,
                              instructionPointers: ip, stackPointers: sp, linkRegisters: link,
                              functions: functions, windowStarts: starts, windowWords: words,
                              times: times))
                        }
                      }
                    }
                  }
                }
              }
            }
          }
        }
      }
    }
  }
}
