import KernelModel
import ProbeEvents
import Testing

/// Situations worked out from the kernel's source, for all epochs and architectures.
@Suite("Worked vectors")
struct WorkedVectorTests {
  static let old: [Epoch] = [.e0, .e1, .e2]
  static let new: [Epoch] = [.e3, .e4, .e5, .e6, .e7, .e8, .e9]
  let r0: Address = 0xa000
  let r1: Address = 0xa100

  @Test(
    "without liveness a frame that a longjmp abandoned takes its caller's return",
    arguments: old, Architecture.allCases)
  func longjmpWithoutLiveness(epoch: Epoch, architecture: Architecture) {
    var thread = SimulatedThread(epoch, architecture)
    thread.call("f1", sp: 1000, returningTo: r0)
    thread.call("f2", sp: 900, returningTo: r1)
    thread.return(sp: 1000)
    #expect(thread.takeLog() == "E f1 E f2 R f2")
    #expect(thread.instructionPointer == r1)
    #expect(thread.listed == ["f1"])
  }

  @Test(
    "a frame that a longjmp abandoned is dropped when an older one returns",
    arguments: new, Architecture.allCases)
  func longjmp(epoch: Epoch, architecture: Architecture) {
    var thread = SimulatedThread(epoch, architecture)
    thread.call("f1", sp: 1000, returningTo: r0)
    thread.call("f2", sp: 900, returningTo: r1)
    thread.return(sp: 1000)
    #expect(thread.takeLog() == "E f1 E f2 R f1")
    #expect(thread.instructionPointer == r0)
    #expect(thread.listed == [])
    #expect(thread.popped.count == 2)
    #expect(!thread.popped[0].handlersRan)
  }

  @Test(
    "without liveness a longjmp loop fills the list and sends the outer call to the wrong place",
    arguments: [Epoch.e1, .e2], Architecture.allCases)
  func longjmpLoopWithoutLiveness(epoch: Epoch, architecture: Architecture) {
    var thread = SimulatedThread(epoch, architecture)
    thread.call("f1", sp: 1000, returningTo: r0)
    for round in 1...70 {
      thread.call("f2", sp: 900, returningTo: r1)
      #expect(thread.lastEntry.outcome == (round < 64 ? .pushed : .omittedAtDepthLimit))
    }
    _ = thread.takeLog()
    thread.return(sp: 900)
    #expect(thread.takeLog() == "")
    thread.return(sp: 1000)
    #expect(thread.takeLog() == "R f2")
    #expect(thread.instructionPointer == r1)
  }

  @Test(
    "a longjmp loop drops the abandoned frame of each round at the next",
    arguments: new, Architecture.allCases)
  func longjmpLoop(epoch: Epoch, architecture: Architecture) {
    var thread = SimulatedThread(epoch, architecture)
    thread.call("f1", sp: 1000, returningTo: r0)
    for round in 1...70 {
      thread.call("f2", sp: 900, returningTo: r1)
      #expect(thread.lastEntry == EntryConclusion(.pushed, dropped: round == 1 ? 0 : 1))
    }
    _ = thread.takeLog()
    thread.return(sp: 900)
    #expect(thread.instructionPointer == r1)
    thread.return(sp: 1000)
    #expect(thread.takeLog() == "R f2 R f1")
    #expect(thread.instructionPointer == r0)
  }

  @Test(
    "a tail call returns together with its caller, to the caller's caller",
    arguments: Epoch.allCases, Architecture.allCases)
  func tailCall(epoch: Epoch, architecture: Architecture) {
    var thread = SimulatedThread(epoch, architecture)
    thread.call("a", sp: 1000, returningTo: r0)
    thread.jump("b", sp: 1000)
    #expect(thread.lastEntry == EntryConclusion(.chained))
    thread.return(sp: 1000)
    #expect(thread.takeLog() == "E a E b R b R a")
    #expect(thread.instructionPointer == r0)
    #expect(thread.listed == [])
  }

  @Test(
    "without liveness a coroutine on a higher stack nests like any call",
    arguments: old, Architecture.allCases)
  func higherStackWithoutLiveness(epoch: Epoch, architecture: Architecture) {
    var thread = SimulatedThread(epoch, architecture)
    thread.call("m", sp: 1000)
    thread.call("c", sp: 9000)
    thread.return(sp: 9000)
    thread.return(sp: 1000)
    #expect(thread.takeLog() == "E m E c R c R m")
  }

  @Test(
    "a coroutine on a higher stack throws away what is pending on the lower one",
    arguments: new, Architecture.allCases)
  func higherStack(epoch: Epoch, architecture: Architecture) {
    var thread = SimulatedThread(epoch, architecture)
    thread.call("m", sp: 1000)
    thread.call("c", sp: 9000)
    #expect(thread.lastEntry == EntryConclusion(.pushed, dropped: 1))
    thread.return(sp: 9000)
    thread.return(sp: 1000)
    #expect(thread.takeLog() == "E m E c R c SIGNAL 4")
  }

  @Test(
    "a coroutine on a lower stack nests like any call",
    arguments: Epoch.allCases, Architecture.allCases)
  func lowerStack(epoch: Epoch, architecture: Architecture) {
    var thread = SimulatedThread(epoch, architecture)
    thread.call("m", sp: 9000)
    thread.call("c", sp: 1000)
    thread.return(sp: 1000)
    thread.return(sp: 9000)
    #expect(thread.takeLog() == "E m E c R c R m")
  }

  @Test(
    "without liveness the return of the one stack is taken for that of the other",
    arguments: old, Architecture.allCases)
  func suspendedWithoutLiveness(epoch: Epoch, architecture: Architecture) {
    var thread = SimulatedThread(epoch, architecture)
    thread.call("m", sp: 9000, returningTo: r0)
    thread.call("c", sp: 1000, returningTo: r1)
    thread.return(sp: 9000)
    #expect(thread.takeLog() == "E m E c R c")
    #expect(thread.instructionPointer == r1)
  }

  @Test(
    "a coroutine left suspended on a lower stack is dropped when the higher one returns",
    arguments: new, Architecture.allCases)
  func suspended(epoch: Epoch, architecture: Architecture) {
    var thread = SimulatedThread(epoch, architecture)
    thread.call("m", sp: 9000, returningTo: r0)
    thread.call("c", sp: 1000, returningTo: r1)
    thread.return(sp: 9000)
    #expect(thread.instructionPointer == r0)
    thread.return(sp: 1000)
    #expect(thread.takeLog() == "E m E c R m SIGNAL 4")
  }

  @Test(
    "the 65th nested call gets no return instance and returns unseen",
    arguments: Epoch.allCases, Architecture.allCases)
  func depthLimit(epoch: Epoch, architecture: Architecture) {
    var thread = SimulatedThread(epoch, architecture)
    let frames = (1...65).map { Address(100_000 - 16 * $0) }
    for sp in frames.dropLast() {
      thread.call("f", sp: sp)
      #expect(thread.lastEntry.outcome == .pushed)
    }
    thread.call("f", sp: frames[64], returningTo: r1)
    #expect(thread.lastEntry == EntryConclusion(.omittedAtDepthLimit))
    #expect(thread.task.returnInstances.depth == 64)
    #expect(thread.slots[frames[64]] == r1)
    _ = thread.takeLog()
    for sp in frames.reversed() { thread.return(sp: sp) }
    #expect(thread.log.count == 64)
    #expect(thread.listed == [])
  }

  @Test(
    "dead frames count towards the limit until the trampoline is reached",
    arguments: new, Architecture.allCases)
  func limitBeforeCleanUp(epoch: Epoch, architecture: Architecture) {
    var thread = SimulatedThread(epoch, architecture)
    thread.call("top", sp: 100_000)
    for depth in 1...63 { thread.call("f", sp: Address(94_000 - 16 * depth)) }
    thread.call("g", sp: 95_000)
    #expect(thread.lastEntry == EntryConclusion(.omittedAtDepthLimit))
    _ = thread.takeLog()
    thread.return(sp: 100_000)
    thread.call("h", sp: 95_000)
    #expect(thread.lastEntry == EntryConclusion(.pushed))
    thread.return(sp: 95_000)
    #expect(thread.takeLog() == "R top E h R h")
  }

  @Test(
    "a breakpoint hit again before its instruction ran gives one return two events",
    arguments: Epoch.allCases, Architecture.allCases)
  func hitTwice(epoch: Epoch, architecture: Architecture) {
    var thread = SimulatedThread(epoch, architecture)
    thread.call("f", sp: 1000, returningTo: r0)
    thread.hit("f", sp: 1000)
    #expect(thread.lastEntry == EntryConclusion(.chained))
    thread.return(sp: 1000)
    #expect(thread.takeLog() == "E f E f R f R f")
    #expect(thread.instructionPointer == r0)
  }

  @Test("the first kernels forget how to follow returns after 64 of them")
  func depthLeak() {
    var thread = SimulatedThread(.e0)
    for round in 1...70 {
      thread.call("f", sp: 1000)
      #expect(thread.lastEntry.outcome == (round <= 64 ? .pushed : .omittedAtDepthLimit))
      thread.return(sp: 1000)
      #expect(thread.listed == [])
      #expect(thread.task.returnInstances.depth == min(round, 64))
    }
  }

  @Test("later kernels follow any number of returns", arguments: Epoch.allCases.dropFirst())
  func noDepthLeak(epoch: Epoch) {
    var thread = SimulatedThread(epoch)
    for _ in 1...70 {
      thread.call("f", sp: 1000)
      #expect(thread.lastEntry.outcome == .pushed)
      thread.return(sp: 1000)
      #expect(thread.task.returnInstances.depth == 0)
    }
  }

  @Test("the first kernels count chained returns down")
  func chainedDepth() {
    var thread = SimulatedThread(.e0)
    thread.call("a", sp: 1000)
    thread.jump("b", sp: 1000)
    thread.jump("c", sp: 1000)
    #expect(thread.task.returnInstances.depth == 3)
    thread.return(sp: 1000)
    #expect(thread.task.returnInstances.depth == 1)
  }
}
