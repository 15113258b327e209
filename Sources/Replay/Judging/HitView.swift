import ProbeEvents

/// The judged columns of one block for the judging loop: checked once as a whole, then read without
/// further checks.
///
/// Only ``HitColumns/withView(probes:_:)`` makes one, and it must not leave the closure.
@safe struct HitView {
  let count: Int
  /// How many of the hits are returns.
  let returns: Int
  /// Whether the task of any hit ran in 32-bit user mode.
  let hasCompat: Bool
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
  private let marks: UnsafeBufferPointer<UInt8>
  private let times: UnsafeBufferPointer<UInt64>
  /// The word that ``marks(_:)`` is about; 0 for none.
  let markedWord: UInt64
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

  /// Which of the first eight words of the hit's window are the marked word, if there is one.
  @inline(__always) func marks(_ hit: Int) -> UInt8 { unsafe marks[hit] }

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

  /// Which of up to 64 words from a place on, among all window words, are equal to a value: a bit for
  /// each. Not part of a window, whose parts would have to be in memory to ask it.
  @inline(never)
  func places(of value: UInt64, from first: Int, to end: Int) -> UInt64 {
    unsafe precondition(first >= 0 && end <= windowWords.count && end - first <= 64)
    // Whether there is any is asked first, as that is several words at a time, and most often no.
    var isThere: UInt8 = 0
    for place in first..<end {
      // Just held against the number of words; the same below.
      unsafe isThere |= windowWords[place] == value ? 1 : 0
    }
    guard isThere != 0 else { return 0 }
    var bits: UInt64 = 0
    for place in first..<end {
      let isEqual = unsafe windowWords[place] == value
      bits |= (isEqual ? 1 : 0) &<< UInt64(place - first)
    }
    return bits
  }

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
    windowWords: UnsafeBufferPointer<UInt64>, marks: UnsafeBufferPointer<UInt8>,
    times: UnsafeBufferPointer<UInt64>
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
    unsafe self.marks = marks
    unsafe self.times = times
    markedWord = marks.count == count ? columns.markedWord : 0
    precondition(
      kinds.count == count && flags.count == count && probes.count == count
        && threads.count == count && instructionPointers.count == count
        && stackPointers.count == count && functions.count == count
        && windowStarts.count == count + 1 && (times.isEmpty || times.count == count)
        && (linkRegisters.isEmpty || linkRegisters.count == count), "columns of unequal length")
    // Each column for itself and without leaving early: that is several elements at a time.
    var returns: UInt32 = 0
    var allFlags: UInt8 = 0
    for hit in 0..<count {
      unsafe returns &+= kinds[hit] == .return ? 1 : 0
      unsafe allFlags |= flags[hit].rawValue
    }
    self.returns = Int(returns)
    hasCompat = allFlags & Self.compatBit != 0
    unsafe precondition(Self.areAll(threads, below: threadCount))
    unsafe precondition(Self.areAll(probes, below: probeCount))
    // Numbers without the highest bit ascend if no difference has it.
    var bits: UInt32 = 0
    for hit in 0..<count {
      unsafe bits |= windowStarts[hit &+ 1] | (windowStarts[hit &+ 1] &- windowStarts[hit])
    }
    precondition(bits >> 31 == 0, "windows that overlap")
    unsafe precondition(windowStarts[0] == 0 && Int(windowStarts[count]) <= windowWords.count)
  }

  private static func areAll(_ indices: UnsafeBufferPointer<UInt32>, below end: Int) -> Bool {
    precondition(end >> 31 == 0)
    // The highest bit is set in a number too large for the other 31, and in the difference of the
    // last index and one behind it.
    let last = UInt32(truncatingIfNeeded: end) &- 1
    var bits: UInt32 = 0
    for place in 0..<indices.count { unsafe bits |= indices[place] | (last &- indices[place]) }
    return bits >> 31 == 0
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
                        unsafe marks.withUnsafeBufferPointer { marks in
                          unsafe times.withUnsafeBufferPointer { times in
                            body(
                              unsafe HitView(
                                self, threadCount: threadTable.count, probeCount: probeCount,
                                kinds: kinds, flags: flags, probes: probes, threads: threads,
                                instructionPointers: ip, stackPointers: sp, linkRegisters: link,
                                functions: functions, windowStarts: starts, windowWords: words,
                                marks: marks, times: times))
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
}
