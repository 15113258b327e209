import ProbeEvents
import Testing

@testable import Unwinding

/// What is kept to save work is bounded, and right all the same.
@Suite struct BoundTests {
  private static let layout = Architecture.x86_64.registerLayout

  /// Reads the given words of a window, as unwinding would.
  private func reading(
    _ window: [UInt64], _ places: [Int], _ body: (HitMemory) -> StackReference?
  ) -> StackReference? {
    let memory = HitMemory(layout: Self.layout)
    var registers = [UInt64](repeating: 0, count: Self.layout.count)
    registers[Self.layout.stackPointer] = 0x7000
    return memory.withHit(
      registers: registers.span, window: window.span,
      thread: ThreadIdentity(process: 1, thread: 1), slots: ReturnSlots(), trampoline: 0
    ) {
      memory.begin()
      for place in places { _ = memory.stackWord(at: 0x7000 + UInt64(place) * 8) }
      return body(memory)
    }
  }

  private func insert(
    _ window: [UInt64], _ places: [Int], _ stack: StackReference, _ memo: inout StackMemo
  ) {
    _ = reading(window, places) { memory in
      memo.insert(space: 1, isEntry: false, 5, memory, stack)
      return nil
    }
  }

  private func find(_ window: [UInt64], _ memo: StackMemo) -> StackReference? {
    reading(window, []) { memo.find(space: 1, isEntry: false, 5, $0) }
  }

  @Test func `stacks are told apart by all that was read of them and by nothing else`() {
    var memo = StackMemo()
    // What is at place 0 says what is read next: 1 means place 2, and so on.
    insert([1, 0, 7, 9], [0, 2, 3], 10, &memo)
    insert([1, 0, 7, 8], [0, 2, 3], 11, &memo)
    insert([1, 0, 6, 4], [0, 2], 12, &memo)
    insert([2, 3, 0, 0], [0, 1], 13, &memo)
    #expect(find([1, 55, 7, 9], memo) == 10)
    #expect(find([1, 55, 7, 8], memo) == 11)
    #expect(find([1, 55, 6, 77], memo) == 12)
    #expect(find([2, 3, 77, 77], memo) == 13)
    #expect(find([1, 0, 7, 7], memo) == nil)
    #expect(find([2, 4, 0, 0], memo) == nil)
    #expect(find([3, 0, 0, 0], memo) == nil)
    // A word that was not recorded is no zero.
    #expect(find([2], memo) == nil)
    #expect(reading([2, 3], []) { memo.find(space: 2, isEntry: false, 5, $0) } == nil)
    #expect(reading([2, 3], []) { memo.find(space: 1, isEntry: true, 5, $0) } == nil)
    #expect(reading([2, 3], []) { memo.find(space: 1, isEntry: false, 6, $0) } == nil)
  }

  @Test(arguments: [(1 << 20, 100), (1000, 1 << 20)])
  func `stacks of any number take no more than the memory for them`(readings: Int, nodes: Int) {
    var memo = StackMemo(readingLimit: readings, nodeLimit: nodes)
    var random = SystemRandomNumberGenerator()
    for round in 0..<5000 {
      let window = (0..<20).map { _ in UInt64.random(in: 0..<4, using: &random) }
      let known = find(window, memo)
      #expect(known == nil || known == 1)
      insert(window, Array(0..<20), 1, &memo)
      #expect(memo.count.readings <= readings && memo.count.nodes <= nodes, "round \(round)")
      #expect(find(window, memo) == 1)
    }
  }

  @Test func `places in code of any number take no more than the memory for them`() throws {
    var places = FramePlaces(limit: 300)
    for number in 0..<5000 {
      let key = try #require(FramePlaces.key(UInt64(number) * 3, isExact: number % 2 == 0))
      places.beginAnewIfLarge()
      #expect(places.find(key) == nil)
      let rule = FrameRule(
        register: UInt8(number % 16), isIndirect: false, indirectDistance: 0, distance: 0,
        returnBase: .frame, returnDistance: -8)
      let save = FrameRule.Save(
        register: 3, origin: .word, base: .frame, distance: Int32(number))
      _ = places.insert(key, .ruled, isSignal: false, rule, [save])
      let found = try #require(places.find(key))
      #expect(found.rule == rule && found.endOfSaves == found.firstSave + 1)
      #expect(places.saves[Int(found.firstSave)] == save)
      #expect(places.count <= 300 && places.saves.count <= 300)
    }
  }

  @Test func `address spaces of any number are kept for those used last`() {
    var spaces = RecentSpaces<UInt32>()
    var made: [UInt32] = []
    var dropped: [UInt32] = []
    func use(_ number: UInt32) {
      let value = spaces.value(number) {
        made.append(number)
        return number
      } drop: {
        dropped.append($0)
      }
      #expect(value == number)
    }
    for number in 0..<UInt32(1000) {
      use(number)
      use(0)
      #expect(made.count - dropped.count <= StackLimit.spaces)
    }
    #expect(made.filter { $0 == 0 }.count == 1 && made.count == 1000)
    #expect(dropped == Array(1..<UInt32(1000 - StackLimit.spaces + 1)))
  }

  @Test func `return slots of any number are forgotten`() {
    let slots = ReturnSlots()
    let thread = ThreadIdentity(process: 1, thread: 1)
    for number in 1...UInt64(ReturnSlots.slotLimit) {
      slots.push(thread, number * 16, original: number)
    }
    #expect(slots.original(inSlot: 16) == 1)
    slots.push(thread, 8, original: 7)
    #expect(slots.original(inSlot: 8) == 7 && slots.original(inSlot: 16) == nil)
    #expect(slots.pending[thread]?.count == 64)
  }
}
