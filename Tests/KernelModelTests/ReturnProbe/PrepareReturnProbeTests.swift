import KernelModel
import ProbeEvents
import Testing

@Suite("Preparing a return")
struct PrepareReturnProbeTests {
  @Test(
    "a probe without return handlers touches nothing, not even dead instances",
    arguments: Epoch.allCases)
  func noReturnProbe(epoch: Epoch) {
    var thread = SimulatedThread(epoch)
    thread.call("dead", sp: 900)
    let conclusion = thread.task.handleBreakpoint(
      EntryCause(
        instructionPointer: 0x40_0000, stackPointer: 1000, returnAddress: 0x1000,
        trampoline: SimulatedThread.trampoline, entry: 1, wantsReturn: false),
      rules: thread.rules)
    #expect(conclusion == EntryConclusion(.noReturnProbe))
    #expect(thread.listed == ["dead"])
  }

  @Test(
    "a forged trampoline address without an instance gives none, and the return a signal",
    arguments: Epoch.allCases, Architecture.allCases)
  func chainWithoutInstance(epoch: Epoch, architecture: Architecture) {
    var thread = SimulatedThread(epoch, architecture)
    thread.call("forged", sp: 1000, returningTo: SimulatedThread.trampoline)
    #expect(thread.lastEntry == EntryConclusion(.chainWithoutInstance))
    #expect(thread.listed == [])
    thread.return(sp: 1000)
    #expect(thread.takeLog() == "E forged SIGNAL \(epoch < .e3 ? 5 : 4)")
  }

  @Test(
    "a forged trampoline address above all pending frames drops them and gives no instance",
    arguments: Epoch.allCases.filter { $0 >= .e3 }, Architecture.allCases)
  func chainWithoutInstanceAfterCleanUp(epoch: Epoch, architecture: Architecture) {
    var thread = SimulatedThread(epoch, architecture)
    thread.call("a", sp: 1000)
    thread.call("b", sp: 900)
    thread.call("forged", sp: 1001, returningTo: SimulatedThread.trampoline)
    #expect(thread.lastEntry == EntryConclusion(.chainWithoutInstance, dropped: 2))
    #expect(thread.listed == [])
    #expect(thread.task.returnInstances.depth == 0)
  }

  @Test(
    "a tail call drops the dead instances below its own slot, not the one it shares the slot with",
    arguments: Epoch.allCases.filter { $0 >= .e3 }, Architecture.allCases)
  func tailCallAfterLongjmp(epoch: Epoch, architecture: Architecture) {
    var thread = SimulatedThread(epoch, architecture)
    thread.call("a", sp: 1000, returningTo: 0xa0)
    thread.call("left", sp: 900)
    thread.jump("b", sp: 1000)
    #expect(thread.lastEntry == EntryConclusion(.chained, dropped: 1))
    #expect(thread.listed == ["b", "a"])
    thread.return(sp: 1000)
    #expect(thread.takeLog() == "E a E left E b R b R a")
    #expect(thread.instructionPointer == 0xa0)
  }

  @Test(
    "a live instance hides dead ones below it until it is popped",
    arguments: Epoch.allCases.filter { $0 >= .e3 }, Architecture.allCases)
  func hiddenDead(epoch: Epoch, architecture: Architecture) {
    var thread = SimulatedThread(epoch, architecture)
    thread.call("outer", sp: 1000)
    thread.call("left", sp: 900)
    thread.call("deeper", sp: 800)
    #expect(thread.lastEntry.dropped == 0)
    thread.return(sp: 800)
    #expect(thread.listed == ["left", "outer"])
    thread.return(sp: 1000)
    #expect(thread.takeLog() == "E outer E left E deeper R deeper R outer")
  }

  @Test("at the limit neither the return address nor the list is touched")
  func atTheLimit() {
    var thread = SimulatedThread(.e8)
    for depth in 0..<64 { thread.call("f\(depth)", sp: Address(10_000 - 16 * depth)) }
    let before = thread.listed
    thread.jump("tail", sp: 10_000 - 16 * 63)
    #expect(thread.lastEntry == EntryConclusion(.omittedAtDepthLimit))
    thread.call("above", sp: 20_000, returningTo: 0xa0)
    #expect(thread.lastEntry == EntryConclusion(.omittedAtDepthLimit))
    #expect(thread.slots[20_000] == 0xa0)
    #expect(thread.listed == before)
  }
}
