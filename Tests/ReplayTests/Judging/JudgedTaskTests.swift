import ProbeEvents
import ProbetapeTesting
import Testing

@testable import Replay

@Suite("what is known of a task's instances at once is what looking at each gives")
struct JudgedTaskTests {
  @Test("slots, order and overwritten instances, after random calls", arguments: 0..<40)
  func random(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    func below(_ bound: UInt64) -> UInt64 { generator.next(upperBound: bound) }
    let task = JudgedTask(slot: 0)
    defer { task.deallocate() }
    var expected: [ShadowInstance] = []
    var stackPointer: Address = 0x7fff_0000_0000
    for _ in 0..<2000 {
      switch below(8) {
      case 0...2 where expected.count < JudgedTask.capacity:
        stackPointer &-= 8 * below(24)
        // Sometimes another stack, or one that is not aligned.
        if below(40) == 0 { stackPointer &+= 1 + below(4096) }
        let instance = ShadowInstance(stackPointer: stackPointer)
        task.push(instance)
        expected.append(instance)
      case 3...4 where !expected.isEmpty:
        let number = Int(below(2) + 1)
        task.drop(min(number, expected.count))
        expected.removeLast(min(number, expected.count))
        stackPointer = expected.last?.stackPointer ?? 0x7fff_0000_0000
      case 5 where !expected.isEmpty:
        let place = Int(below(UInt64(expected.count)))
        let isOverwritten = below(3) == 0
        task.note(place, isOverwritten: isOverwritten)
        expected[place].isOverwritten = isOverwritten
      case 6 where below(50) == 0:
        task.dropAll()
        expected = []
      default: break
      }
      check(task, expected)
    }
  }

  @Test("instances in a window, at once and one by one", arguments: 0..<60)
  func windows(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    func below(_ bound: UInt64) -> UInt64 { generator.next(upperBound: bound) }
    var atOnce = 0
    for _ in 0..<200 {
      let task = JudgedTask(slot: 0)
      defer { task.deallocate() }
      var stackPointer: Address = 0x7fff_0000_0000
      for _ in 0..<below(12) {
        task.push(ShadowInstance(stackPointer: stackPointer))
        stackPointer &-= 8 * below(12)
      }
      if task.held > 0, below(4) == 0 {
        task.note(Int(below(UInt64(task.held))), isOverwritten: true)
      }
      let newest = task.held > 0 ? task.instance(newest: 0).stackPointer : stackPointer
      let span = StackSpan(
        start: newest &+ 8 * 4 &- 8 * below(16) &- (below(10) == 0 ? 4 : 0),
        wordCount: Int(1 + below(64)), firstWord: 0)
      if check(span, of: task, missing: below(3) == 0 ? 1 << below(64) : 0) { atOnce += 1 }
    }
    #expect(atOnce > 40)
  }

  /// Holds both ways against looking at each instance; whether the quick one was taken.
  private func check(_ whole: StackSpan, of task: JudgedTask, missing: UInt64) -> Bool {
    var span = whole
    span.firstWord = span.wordCount > 1 && missing & 1 == 0 ? 1 : 0
    var slots: UInt64 = 0
    var placeOf: [Int: UInt64] = [:]
    for index in 0..<task.held where task[held: index].stackPointer >= span.start {
      let word = (task[held: index].stackPointer - span.start) / 8
      guard word >= UInt64(span.firstWord), word < UInt64(span.wordCount) else { continue }
      slots |= 1 << word
      placeOf[index] = 1 << word
    }
    let trampolines = slots & ~missing
    let before = (0..<task.held).map { task[held: $0].isOverwritten }
    let newest = task.held > 0 ? task.instance(newest: 0).stackPointer : span.start
    let isPlain =
      !before.contains(true) && newest >= span.start && (newest - span.start).isMultiple(of: 8)
    let quick = task.slotsAsExpected(in: span, trampolines)
    #expect(quick == (task.held == 0 ? 0 : isPlain && trampolines == slots ? slots : nil))
    #expect(task.noteOrderedSlots(in: span, trampolines) == slots)
    for index in 0..<task.held {
      let expected = placeOf[index].map { trampolines & $0 == 0 } ?? before[index]
      #expect(task[held: index].isOverwritten == expected)
    }
    return quick != nil
  }

  private func check(_ task: JudgedTask, _ expected: [ShadowInstance]) {
    #expect(task.held == expected.count)
    #expect(task.state.overwritten == (expected.lastIndex { $0.isOverwritten } ?? -1) + 1)
    guard let newest = expected.last else { return }
    let isOrdered = zip(expected, expected.dropFirst()).allSatisfy { older, newer in
      older.stackPointer >= newer.stackPointer
        && (older.stackPointer - newer.stackPointer).isMultiple(of: 8)
    }
    // Once out of order, a task is taken for that until it holds nothing.
    guard task.state.isOrdered else { return }
    #expect(isOrdered)
    var slots: UInt64 = 0
    for instance in expected {
      let distance = (instance.stackPointer - newest.stackPointer) / 8
      if distance < 64 { slots |= 1 << distance }
    }
    #expect(task.instance(newest: 0).slots == slots)
  }
}
