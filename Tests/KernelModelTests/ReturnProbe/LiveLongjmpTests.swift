import KernelModel
import ProbeEvents
import Testing

/// What a live kernel (6.18.44, x86-64) did when frames were left without returning.
@Suite("Live kernel: longjmp")
struct LiveLongjmpTests {
  var thread = SimulatedThread(ReturnProbeRules(kernel: .live))

  @Test("s01: each level of a recursion returns by itself")
  mutating func recursion() {
    let frames: [Address] = [0x7ff0, 0x7fe0, 0x7fd0, 0x7fc0]
    for sp in frames {
      thread.call("rec", sp: sp)
      #expect(thread.lastEntry == EntryConclusion(.pushed))
    }
    for sp in frames.reversed() { thread.return(sp: sp) }
    #expect(thread.takeLog() == "E rec E rec E rec E rec R rec R rec R rec R rec")
  }

  @Test("s02: five frames left by longjmp are dropped at the next entry")
  mutating func newCall() {
    for (name, sp) in zip(["a", "b", "c", "d", "e"], frames(from: 0x7ff0)) {
      thread.call(name, sp: sp)
    }
    thread.call("x", sp: 0x7ff0)
    #expect(thread.lastEntry == EntryConclusion(.pushed, dropped: 5))
    #expect(thread.listed == ["x"])
    thread.return(sp: 0x7ff0)
    #expect(thread.takeLog() == "E a E b E c E d E e E x R x")
  }

  @Test("s03: frames left by longjmp are dropped when an older one returns")
  mutating func olderFrame() {
    for (name, sp) in zip(["top", "outer", "c", "d", "e"], frames(from: 0x7ff0)) {
      thread.call(name, sp: sp)
    }
    #expect(thread.listed == ["e", "d", "c", "outer", "top"])
    thread.return(sp: 0x7fd0)
    #expect(thread.popped.count == 4)
    thread.return(sp: 0x7ff0)
    #expect(thread.takeLog() == "E top E outer E c E d E e R outer R top")
  }

  @Test("s05: after a longjmp out of three calls the outer one returns")
  mutating func outOfCalls() {
    for (name, sp) in zip(["outer", "t1", "t2", "t3"], frames(from: 0x7ff0)) {
      thread.call(name, sp: sp)
    }
    thread.return(sp: 0x7ff0)
    #expect(thread.takeLog() == "E outer E t1 E t2 E t3 R outer")
  }

  @Test("s05: after a longjmp out of three calls a new call drops them")
  mutating func outOfCallsIntoNewCall() {
    for (name, sp) in zip(["outer", "t1", "t2", "t3"], frames(from: 0x7ff0)) {
      thread.call(name, sp: sp)
    }
    thread.call("x", sp: 0x7fd0)
    #expect(thread.listed == ["x", "outer"])
    thread.return(sp: 0x7fd0)
    thread.return(sp: 0x7ff0)
    #expect(thread.takeLog() == "E outer E t1 E t2 E t3 E x R x R outer")
  }

  @Test("s15: siglongjmp off a lower signal stack drops the handler and what it interrupted")
  mutating func offSignalStack() {
    thread.call("base", sp: 0x7ff0)
    thread.call("outer", sp: 0x7fd0)
    thread.call("h", sp: 0x2f00)
    thread.return(sp: 0x7ff0)
    thread.call("x", sp: 0x7ff0)
    thread.return(sp: 0x7ff0)
    #expect(thread.takeLog() == "E base E outer E h R base E x R x")
  }

  @Test("s21: setcontext back to an older frame is like a longjmp")
  mutating func setContext() {
    for (name, sp) in zip(["o", "a", "b"], frames(from: 0x7ff0)) { thread.call(name, sp: sp) }
    thread.return(sp: 0x7ff0)
    thread.call("x", sp: 0x7ff0)
    thread.return(sp: 0x7ff0)
    #expect(thread.takeLog() == "E o E a E b R o E x R x")
  }

  @Test("s27: in a longjmp loop each round replaces the frames of the last")
  mutating func loop() {
    for round in 1...40 {
      thread.call("t1", sp: 0x7ff0)
      #expect(thread.lastEntry.dropped == (round == 1 ? 0 : 2))
      thread.call("t2", sp: 0x7fd0)
      #expect(thread.task.returnInstances.depth == 2)
    }
    _ = thread.takeLog()
    thread.call("x", sp: 0x7ff0)
    thread.return(sp: 0x7ff0)
    #expect(thread.takeLog() == "E x R x")
  }

  @Test("s06: of a recursion 70 deep the six deepest returns are missing")
  mutating func deepRecursion() {
    let frames = (0..<70).map { Address(0x7fff_0000 - 16 * $0) }
    for (depth, sp) in frames.enumerated() { thread.call("r\(depth)", sp: sp) }
    #expect(thread.takeLog() == (0..<70).map { "E r\($0)" }.joined(separator: " "))
    #expect(thread.task.returnInstances.depth == 64)
    for sp in frames.reversed() { thread.return(sp: sp) }
    #expect(thread.takeLog() == (0..<64).reversed().map { "R r\($0)" }.joined(separator: " "))
  }

  @Test("s28: 64 frames left from ever deeper stacks block the thread's return probes")
  mutating func blocked() {
    for round in 0..<80 { thread.call("j", sp: Address(0x7f00_0000 - 64 * round)) }
    #expect(thread.task.returnInstances.count == 64)
    _ = thread.takeLog()
    thread.call("x", sp: 0x7fff_0000)
    #expect(thread.lastEntry == EntryConclusion(.omittedAtDepthLimit))
    thread.return(sp: 0x7fff_0000)
    #expect(thread.takeLog() == "E x")
    #expect(thread.task.returnInstances.count == 64)
  }

  private func frames(from sp: Address) -> [Address] {
    (0..<8).map { sp - 32 * $0 }
  }
}

extension KernelFacts {
  /// The kernel that the live observations were made on.
  static let live = KernelFacts(
    architecture: .x86_64, release: "6.18.44",
    facts: [KernelFact(.returnTrampoline, "syscall"), KernelFact(.noInstanceSignalCode, "128")])
}
