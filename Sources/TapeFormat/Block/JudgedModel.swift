import ProbeEvents

/// What both sides know when they code the judged columns of the next hit. It starts empty in each
/// block and is brought forward in the same way by the encoder and the decoder.
///
/// Tables name hits by their index in the block plus one; 0 is none.
struct JudgedModel {
  /// The last hit of each thread, as far as the next one is predicted from it.
  struct ThreadState {
    var history: UInt64 = 0
    var stackPointer: UInt64 = 0
    var linkAtReturn: UInt64 = 0
    var flags: HitFlags = []
    var windowLength = 0
  }

  /// Stack words last seen, by address and thread.
  static let memorySlots = 8192
  static let entryAddressSlots = 1024

  let convention: CallConvention
  var threads: [ThreadState]
  var calls: OpenCalls
  var memory: [UInt64]
  /// The entry that followed a history, and a last signature.
  private var afterHistory: [UInt32]
  private var afterLatest: [UInt32]
  /// The last hit at a site.
  private var sites: [UInt32]
  /// The instruction pointer of each probe's last entry.
  private var entryAddresses: [UInt64]
  /// How far each entry moved its thread's stack pointer since the thread's hit before.
  private var steps: [UInt64]

  init(convention: CallConvention, threads: Int, hits: Int) {
    self.convention = convention
    self.threads = Array(repeating: ThreadState(), count: threads)
    calls = OpenCalls(threads: threads, hits: hits)
    memory = Array(repeating: 0, count: Self.memorySlots)
    afterHistory = Array(repeating: 0, count: CallContext.historySlots)
    afterLatest = Array(repeating: 0, count: CallContext.historySlots)
    sites = Array(repeating: 0, count: CallContext.siteSlots)
    entryAddresses = Array(repeating: 0, count: Self.entryAddressSlots)
    steps = Array(repeating: 0, count: hits)
  }

  /// The entry that the next one of a thread is likely to repeat.
  @inline(__always)
  func expectedEntry(_ thread: Int) -> Int {
    let history = threads[thread].history
    let whole = afterHistory[CallContext.historySlot(history)]
    return Int(whole != 0 ? whole : afterLatest[CallContext.latestSlot(history)])
  }

  /// The stack pointer of an entry that repeats another.
  @inline(__always)
  func expectedStackPointer(_ reference: Int, _ thread: Int) -> UInt64 {
    threads[thread].stackPointer &+ (reference == 0 ? 0 : steps[reference - 1])
  }

  @inline(__always)
  func expectedEntryAddress(_ probe: UInt32) -> UInt64 {
    entryAddresses[Int(probe & 1023)]
  }

  /// The last hit at the site that a return goes to.
  @inline(__always)
  func lastReturn(to address: UInt64) -> Int {
    let signature = CallContext.signature(site: address, kind: .return)
    return Int(sites[CallContext.siteSlot(signature)])
  }

  /// Takes note of an entry's probe and addresses.
  @inline(__always)
  mutating func noteEntry(
    _ hit: Int, _ thread: Int, probe: UInt32, instructionPointer: UInt64,
    stackPointer: UInt64
  ) {
    let history = threads[thread].history
    afterHistory[CallContext.historySlot(history)] = UInt32(hit + 1)
    afterLatest[CallContext.latestSlot(history)] = UInt32(hit + 1)
    entryAddresses[Int(probe & 1023)] = instructionPointer
    steps[hit] = stackPointer &- threads[thread].stackPointer
    calls.drop(below: stackPointer, thread)
    calls.push(hit, thread, stackPointer: stackPointer)
  }

  /// Takes note of a return's stack pointer.
  @inline(__always)
  mutating func noteReturn(_ thread: Int, flags: HitFlags, stackPointer: UInt64) {
    calls.drop(below: stackPointer &- convention.returnStep(flags), thread)
  }

  /// Takes note of a hit when all its columns are known.
  @inline(__always)
  mutating func finish(
    _ hit: Int, _ thread: Int, kind: HitKind, site: UInt64, stackPointer: UInt64
  ) {
    let signature = CallContext.signature(site: site, kind: kind)
    threads[thread].history = threads[thread].history << 16 | signature
    threads[thread].stackPointer = stackPointer
    sites[CallContext.siteSlot(signature)] = UInt32(hit + 1)
  }

  /// The slot of the first word of a window; the following words have the following slots, round
  /// about.
  @inline(__always)
  static func memorySlot(_ stackPointer: UInt64, _ thread: Int) -> Int {
    Int(truncatingIfNeeded: (stackPointer >> 3) &+ UInt64(thread) &* 613) & (memorySlots - 1)
  }
}

/// The bits of a judged hit's shape: its kind, and which of its columns are not as predicted.
enum Shape {
  static let isReturn: UInt8 = 1
  static let thread: UInt8 = 2
  static let probe: UInt8 = 4
  static let stackPointer: UInt8 = 8
  static let instructionPointer: UInt8 = 16
  static let function: UInt8 = 32
  static let flags: UInt8 = 64
  static let length: UInt8 = 128
}
