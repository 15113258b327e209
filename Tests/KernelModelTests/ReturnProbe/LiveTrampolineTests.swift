import KernelModel
import ProbeEvents
import Testing

/// What a live kernel (6.18.44, x86-64) did with tail calls and with programs that meddle with their
/// return addresses.
@Suite("Live kernel: tail calls and forged returns")
struct LiveTrampolineTests {
  var thread = SimulatedThread(ReturnProbeRules(kernel: .live))

  @Test("s04: one arrival delivers the returns of a whole chain of tail calls")
  mutating func tailChain() {
    thread.call("caller", sp: 0x7ff0, returningTo: 0xa0)
    thread.call("t1", sp: 0x7fd0, returningTo: 0xb0)
    thread.jump("t2", sp: 0x7fd0)
    thread.jump("t3", sp: 0x7fd0)
    #expect(thread.lastEntry == EntryConclusion(.chained))
    let listed = thread.task.returnInstances
    #expect((0..<4).map { listed[$0].isChained } == [true, true, false, false])
    #expect((0..<4).map { listed[$0].originalReturnAddress } == [0xb0, 0xb0, 0xb0, 0xa0])
    thread.return(sp: 0x7fd0)
    #expect(thread.instructionPointer == 0xb0)
    #expect(thread.takeLog() == "E caller E t1 E t2 E t3 R t3 R t2 R t1")
    thread.return(sp: 0x7ff0)
    #expect(thread.takeLog() == "R caller")
  }

  @Test("s22: a forged return is taken for that of the newest instance")
  mutating func forgedReturn() {
    thread.call("victim", sp: 0x7ff0, returningTo: 0xa0)
    thread.arrive(sp: 0x7ff8 - 0x20)
    #expect(thread.instructionPointer == 0xa0)
    thread.call("x", sp: 0x7ff0)
    thread.return(sp: 0x7ff0)
    #expect(thread.takeLog() == "E victim R victim E x R x")
  }

  @Test("s23: a jump to the trampoline without an instance gets a forced SIGILL")
  mutating func emptyTrampoline() {
    thread.call("g", sp: 0x7ff0)
    thread.return(sp: 0x7ff0)
    thread.arrive(sp: 0x7ff0)
    #expect(thread.takeLog() == "E g R g SIGNAL 4")
    #expect(thread.rules.noInstanceSignal.code == 128)
    #expect(thread.popped.count == 0)
  }

  @Test("s24: a function that overwrites its return slot leaves an instance until the next entry")
  mutating func overwrittenSlot() {
    thread.call("lost", sp: 0x7fd0)
    thread.slots[0x7fd0] = 0xa0
    thread.return(sp: 0x7fd0)
    #expect(thread.instructionPointer == 0xa0)
    #expect(thread.listed == ["lost"])
    thread.call("x", sp: 0x7fd0)
    #expect(thread.lastEntry.dropped == 1)
    thread.return(sp: 0x7fd0)
    thread.call("y", sp: 0x7fd0)
    thread.call("x", sp: 0x7fb0)
    thread.return(sp: 0x7fb0)
    thread.return(sp: 0x7fd0)
    #expect(thread.takeLog() == "E lost E x R x E y E x R x R y")
  }
}
