import KernelModel
import ProbeEvents
import Testing

/// What a live kernel (6.18.44, x86-64) did when a thread used more than one stack.
@Suite("Live kernel: several stacks")
struct LiveStackTests {
  var thread = SimulatedThread(ReturnProbeRules(kernel: .live))
  let main: Address = 0x7fff_0000
  let low: Address = 0x0060_0000

  @Test("s09: a call on the main stack throws away what is pending on a lower one")
  mutating func swapContext() {
    thread.call("co", sp: low)
    thread.call("x", sp: main)
    #expect(thread.lastEntry.dropped == 1)
    thread.return(sp: main)
    thread.return(sp: low)
    #expect(thread.takeLog() == "E co E x R x SIGNAL 4")
  }

  @Test("s10: a coroutine without probed calls on the other stack does no harm")
  mutating func harmlessCoroutine() {
    thread.call("co", sp: low)
    thread.return(sp: low)
    thread.call("y", sp: main)
    thread.call("x", sp: main - 32)
    thread.return(sp: main - 32)
    thread.return(sp: main)
    thread.call("x", sp: main)
    thread.return(sp: main)
    #expect(thread.takeLog() == "E co R co E y E x R x R y E x R x")
  }

  @Test("s11: a return on the main stack drops what is pending on a lower one")
  mutating func outerFirst() {
    thread.call("outer", sp: main)
    thread.call("co", sp: low)
    thread.return(sp: main)
    thread.return(sp: low)
    #expect(thread.takeLog() == "E outer E co R outer SIGNAL 4")
  }

  @Test("s12: of two coroutines the one on the higher stack returns, the other gets a signal")
  mutating func higherReturnsFirst() {
    thread.call("a", sp: low + 0x10000)
    thread.call("b", sp: low)
    thread.return(sp: low + 0x10000)
    thread.return(sp: low)
    #expect(thread.takeLog() == "E a E b R a SIGNAL 4")
  }

  @Test("s12: the one on the lower stack is sent to the other's caller, without a signal")
  mutating func lowerReturnsFirst() {
    thread.call("a", sp: low, returningTo: 0xaa)
    thread.call("b", sp: low + 0x10000, returningTo: 0xbb)
    #expect(thread.lastEntry.dropped == 1)
    thread.return(sp: low)
    #expect(thread.takeLog() == "E a E b R b")
    #expect(thread.instructionPointer == 0xbb)
  }

  @Test("s13: a signal handler on a lower stack nests like any call")
  mutating func lowerSignalStack() {
    thread.call("outer", sp: main)
    thread.call("h", sp: low)
    thread.call("x", sp: low - 32)
    thread.return(sp: low - 32)
    thread.return(sp: low)
    thread.return(sp: main)
    #expect(thread.takeLog() == "E outer E h E x R x R h R outer")
  }

  @Test("s14: a signal handler on a higher stack throws away what it interrupted")
  mutating func higherSignalStack() {
    thread.call("outer", sp: low)
    thread.call("h", sp: main)
    thread.call("x", sp: main - 32)
    thread.return(sp: main - 32)
    thread.return(sp: main)
    thread.return(sp: low)
    #expect(thread.takeLog() == "E outer E h E x R x R h SIGNAL 4")
  }

  @Test("s26: a new call at the stack pointer of an abandoned one replaces it")
  mutating func abandonedStack() {
    thread.call("co", sp: low)
    thread.call("x", sp: low)
    #expect(thread.lastEntry == EntryConclusion(.pushed, dropped: 1))
    thread.return(sp: low)
    thread.call("co", sp: low)
    thread.return(sp: low)
    thread.call("x", sp: main)
    thread.return(sp: main)
    #expect(thread.takeLog() == "E co E x R x E co R co E x R x")
  }
}
