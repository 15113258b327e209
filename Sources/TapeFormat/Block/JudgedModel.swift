import ProbeEvents

/// What both sides know when they code the judged columns of the next hit. It starts empty in each
/// block and is brought forward in the same way by the encoder and the decoder.
///
/// Tables name hits by their index in the block plus one; 0 is none.
struct JudgedModel {
  let convention: CallConvention
  let threads: Table<ModelMemory.ThreadState>
  let calls: OpenCalls
  let words: Table<UInt64>
  /// The entry that followed a history, and a last signature.
  private let afterHistory: Table<UInt32>
  private let afterLatest: Table<UInt32>
  /// The last hit at a site.
  private let sites: Table<UInt32>
  /// The instruction pointer of each probe's last entry.
  private let entryAddresses: Table<UInt64>
  /// How far each entry moved its thread's stack pointer since the thread's hit before.
  private let steps: Table<UInt64>

  init(_ memory: ModelMemory, _ convention: CallConvention, threads count: Int, hits: Int) {
    memory.reset(threads: count, hits: hits)
    self.convention = convention
    threads = memory.threads
    calls = OpenCalls(memory)
    words = memory.words
    afterHistory = memory.histories
    afterLatest = memory.latest
    sites = memory.sites
    entryAddresses = memory.entryAddresses
    steps = memory.steps
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
  func noteEntry(
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
  func noteReturn(_ thread: Int, flags: HitFlags, stackPointer: UInt64) {
    calls.drop(below: stackPointer &- convention.returnStep(flags), thread)
  }

  /// Takes note of a hit when all its columns are known.
  @inline(__always)
  func finish(
    _ hit: Int, _ thread: Int, kind: HitKind, site: UInt64, stackPointer: UInt64
  ) {
    let signature = CallContext.signature(site: site, kind: kind)
    var state = threads[thread]
    state.history = state.history << 16 | signature
    state.stackPointer = stackPointer
    threads[thread] = state
    sites[CallContext.siteSlot(signature)] = UInt32(hit + 1)
  }

  /// The slot of the first word of a window; the following words have the following slots, round
  /// about.
  @inline(__always)
  static func wordSlot(_ stackPointer: UInt64, _ thread: Int) -> Int {
    Int(truncatingIfNeeded: (stackPointer >> 3) &+ UInt64(thread) &* 613)
      & (ModelMemory.wordSlots - 1)
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
