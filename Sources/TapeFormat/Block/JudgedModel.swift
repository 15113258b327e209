import ProbeEvents

/// What both sides know when they code the judged columns of the next hit. It starts empty in each
/// block and is brought forward in the same way by the encoder and the decoder.
///
/// Tables name hits by their index in the block plus one; 0 is none.
struct JudgedModel {
  let convention: CallConvention
  let threads: Table<ThreadState>
  let calls: OpenCalls
  /// Stack words last seen.
  let words: Table<UInt64>
  /// The first stack word of each entry of this block, by index; 0 where its window is empty. Only
  /// the decoder keeps it.
  let firstWords: Table<UInt64>
  /// The entry that followed a history.
  private let afterHistory: Table<UInt32>
  /// Each probe's last entry.
  private let entries: SlotTable<UInt32>
  /// How far each entry moved its thread's stack pointer since the thread's hit before, by index plus
  /// one; 0 for none.
  private let steps: Table<UInt64>

  init(
    _ memory: ModelMemory, _ convention: CallConvention, threads count: Int, hits: Int,
    stackPointers: Table<UInt64>
  ) {
    memory.reset(threads: count, hits: hits)
    self.convention = convention
    threads = memory.threads
    calls = OpenCalls(memory, stackPointers: stackPointers)
    words = memory.words
    firstWords = memory.firstWords
    afterHistory = memory.histories
    precondition(afterHistory.count == CallContext.historySlots)
    entries = SlotTable(memory.entries)
    steps = memory.steps
  }

  /// The entry that the next one of a thread is likely to repeat.
  @inline(__always)
  func expectedEntry(_ state: ThreadState) -> Int {
    // There is an element for each of these slots, here and below.
    unsafe Int(afterHistory[unchecked: CallContext.historySlot(state.history)])
  }

  /// The stack pointer of an entry that repeats another.
  @inline(__always)
  func expectedStackPointer(_ reference: Int, _ state: ThreadState) -> UInt64 {
    // References are hits of this block by index plus one, since all tables start empty.
    unsafe state.stackPointer &+ steps[unchecked: reference]
  }

  @inline(__always)
  func lastEntry(of probe: UInt32) -> Int {
    Int(entries[UInt64(probe)])
  }

  /// Takes note of an entry's probe and addresses.
  @inline(__always)
  func noteEntry(
    _ hit: Int, _ state: inout ThreadState, probe: UInt32, stackPointer: UInt64
  ) {
    let name = UInt32(truncatingIfNeeded: hit &+ 1)
    unsafe afterHistory[unchecked: CallContext.historySlot(state.history)] = name
    entries[UInt64(probe)] = name
    // The index is below the number of hits, for which there is memory.
    unsafe steps[unchecked: hit &+ 1] = stackPointer &- state.stackPointer
    calls.drop(below: stackPointer, &state)
    calls.push(hit, &state)
  }

  /// Takes note of a return's stack pointer.
  @inline(__always)
  func noteReturn(_ state: inout ThreadState, stackPointer: UInt64) {
    calls.drop(below: stackPointer &- convention.returnStep(state.flags), &state)
  }

  /// Takes note of a hit when all its columns are known.
  @inline(__always)
  func finish(_ state: inout ThreadState, kind: HitKind, site: UInt64, stackPointer: UInt64) {
    state.history = state.history << 16 | CallContext.signature(site: site, kind: kind)
    state.stackPointer = stackPointer
  }

  /// The slot of the first word of a window; the following words have the following slots, round
  /// about.
  @inline(__always)
  static func wordSlot(_ stackPointer: UInt64, _ thread: Int) -> Int {
    let number = (stackPointer >> 3) &+ UInt64(truncatingIfNeeded: thread) &* 613
    return Int(truncatingIfNeeded: number) & (ModelMemory.wordSlots - 1)
  }
}

/// The entries that the words of an entry's window are predicted from, by index plus one; 0 is
/// none, and both are none at a return.
struct WordReferences {
  /// Code of a word that is the one at the same place in ``expected``'s window.
  static let expectedCode: UInt8 = 0
  /// Code of a word that is the one at the same place in ``sameProbe``'s window.
  static let sameProbeCode: UInt8 = 1

  /// The entry that the whole hit was predicted from.
  var expected = 0
  /// The probe's last entry.
  var sameProbe = 0
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
