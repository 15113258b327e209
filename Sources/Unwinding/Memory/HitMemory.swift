import ProbeEvents

/// What an unwinder may read of one hit: registers, and the stack words that were recorded, with
/// the return addresses that trampolines replaced put back.
///
/// Everything read is noted, so that a later hit that reads the same need not be unwound again.
@safe final class HitMemory {
  /// Something read.
  struct Reading: Equatable, BitwiseCopyable {
    /// Column of a register, or address of a stack word (which is never that low).
    var locus: UInt64
    /// What was there; 0 where nothing was recorded.
    var value: UInt64
    /// Whether anything was recorded there.
    var isKnown: Bool
  }

  /// Readings noted of one hit; a stack that needs more is not kept for later.
  static let readingLimit = 8192
  /// Accesses of all kinds for one stack, the unwind tables' included: it bounds the time.
  static let accessLimit = 1 << 17
  /// Loci below this are registers.
  static let lowestAddress: UInt64 = 64

  let layout: RegisterLayout
  private let savesLinkRegister: Bool
  private(set) var stackPointer: Address = 0
  private var windowBytes: UInt64 = 0
  private var words = unsafe UnsafeBufferPointer<UInt64>(start: nil, count: 0)
  private var registers = unsafe UnsafeBufferPointer<UInt64>(start: nil, count: 0)
  private var thread = ThreadIdentity(process: 0, thread: 0)
  private var slots = ReturnSlots()
  private var trampoline: Address = 0
  /// All that was noted.
  var readings: [Reading] {
    // The places below the count were written.
    unsafe [Reading](UnsafeBufferPointer(start: noted, count: readingCount))
  }
  private var readingCount = 0
  /// Room for as many readings as are noted at most. An array would be asked with each of them whether
  /// anyone else is at it.
  private let noted: UnsafeMutablePointer<Reading>
  /// Accesses left.
  private(set) var accesses = 0
  /// Whether a stack word beyond the window was asked for.
  private(set) var ranOut = false

  init(layout: RegisterLayout) {
    self.layout = layout
    savesLinkRegister = layout.linkRegister != nil
    unsafe noted = .allocate(capacity: Self.readingLimit)
  }

  deinit { unsafe noted.deallocate() }

  /// Lends a hit's registers and window to `body`.
  func withHit<Result>(
    registers: Span<UInt64>, window: Span<UInt64>, thread: ThreadIdentity, slots: ReturnSlots,
    trampoline: Address, _ body: () -> Result
  ) -> Result {
    precondition(registers.count == layout.count)
    // Both pointers are used inside the closures that lend them: they are taken back before the end.
    return unsafe registers.withUnsafeBufferPointer { registers in
      unsafe window.withUnsafeBufferPointer { words in
        unsafe self.registers = registers
        unsafe self.words = words
        self.thread = thread
        self.slots = slots
        self.trampoline = trampoline
        stackPointer = unsafe registers[layout.stackPointer]
        let length = UInt64(words.count) &* 8
        windowBytes = stackPointer.addingReportingOverflow(length).overflow ? 0 : length
        defer {
          unsafe self.registers = UnsafeBufferPointer(start: nil, count: 0)
          unsafe self.words = UnsafeBufferPointer(start: nil, count: 0)
          windowBytes = 0
        }
        return body()
      }
    }
  }

  /// Begins to note.
  func begin() {
    readingCount = 0
    accesses = Self.accessLimit
    ranOut = false
  }

  /// Counts an access of any kind; false when there have been too many.
  @inline(__always)
  func countAccess() -> Bool {
    accesses &-= 1
    return accesses > 0
  }

  /// Whether an address lies in the window.
  @inline(__always)
  func isInWindow(_ address: Address) -> Bool {
    address >= stackPointer && address &- stackPointer < windowBytes
  }

  /// A register, noted.
  func register(_ column: Int) -> UInt64 {
    let value = value(at: UInt64(column))
    // Whoever looks for a stack knows these two.
    if column == layout.instructionPointer || column == layout.stackPointer { return value.value }
    note(Reading(locus: UInt64(column), value: value.value, isKnown: true))
    return value.value
  }

  /// A stack word, noted; nil when it was not recorded.
  func stackWord(at address: Address) -> UInt64? {
    // No stack is there, and the number would mean a register.
    guard address >= Self.lowestAddress else { return nil }
    let value = value(at: address)
    note(Reading(locus: address, value: value.value, isKnown: value.isKnown))
    if !value.isKnown { ranOut = true }
    return value.isKnown ? value.value : nil
  }

  /// What is at a locus, not noted.
  @inline(__always)
  func value(at locus: UInt64) -> (value: UInt64, isKnown: Bool) {
    if locus < Self.lowestAddress {
      // A column of the layout: registers were checked to have as many.
      let value = unsafe registers[Int(locus)]
      return (
        Int(locus) == layout.linkRegister && value == trampoline
          ? linkOriginal(value) : value, true
      )
    }
    let distance = locus &- stackPointer
    guard locus >= stackPointer, distance < windowBytes else { return (0, false) }
    guard distance & 7 == 0 else { return unaligned(distance) }
    // Below the window's length in bytes, so below its count in words.
    let word = unsafe words[Int(distance >> 3)]
    return (word == trampoline && word != 0 ? original(word, at: locus) : word, true)
  }

  @inline(never)
  private func unaligned(_ distance: UInt64) -> (value: UInt64, isKnown: Bool) {
    let place = Int(distance >> 3)
    guard unsafe place + 1 < words.count else { return (0, false) }
    let shift = (distance & 7) * 8
    // Both places were just held against the count.
    return unsafe (words[place] >> shift | words[place + 1] << (64 - shift), true)
  }

  @inline(never)
  private func original(_ word: UInt64, at address: Address) -> UInt64 {
    savesLinkRegister
      ? slots.original(savedAt: address, by: thread) ?? word
      : slots.original(inSlot: address) ?? word
  }

  @inline(never)
  private func linkOriginal(_ value: UInt64) -> UInt64 {
    slots.newestOriginal(of: thread) ?? value
  }

  private func note(_ reading: Reading) {
    guard readingCount < Self.readingLimit else { return }
    // Below the capacity, as was just seen. A reading has nothing to be released.
    unsafe noted[readingCount] = reading
    readingCount += 1
  }
}
