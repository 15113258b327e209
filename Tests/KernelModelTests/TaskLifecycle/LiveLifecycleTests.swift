import KernelModel
import ProbeEvents
import Testing

/// What a live kernel (6.18.44, x86-64) did with the instances of tasks that forked, cloned, replaced
/// their program or ended inside probed functions.
@Suite("Live kernel: life of a task")
struct LiveLifecycleTests {
  var thread = SimulatedThread(ReturnProbeRules(kernel: .live))
  let top: Address = 0x7fff_0000

  @Test("s16: after fork parent and child both return through the frames entered before")
  mutating func fork() {
    thread.call("o", sp: top)
    thread.call("f", sp: top - 32)
    var child = child(of: thread, as: .fork)
    #expect(child.task.returnInstances.depth == 2)
    #expect(thread.takeLog() == "E o E f")
    child.return(sp: top - 32)
    child.return(sp: top)
    child.call("x", sp: top)
    child.return(sp: top)
    #expect(child.takeLog() == "R f R o E x R x")
    thread.return(sp: top - 32)
    thread.return(sp: top)
    thread.call("x", sp: top)
    thread.return(sp: top)
    #expect(thread.takeLog() == "R f R o E x R x")
  }

  @Test("s17: a vfork child has its own copy, and its calls leave the parent's list alone")
  mutating func vfork() {
    thread.call("v", sp: top)
    var child = child(of: thread, as: .vfork)
    child.call("x", sp: top - 64)
    child.return(sp: top - 64)
    #expect(child.takeLog() == "E x R x")
    #expect(child.task.returnInstances.depth == 1)
    child.task.free()
    thread.return(sp: top)
    #expect(thread.takeLog() == "E v R v")
  }

  @Test("s18: a thread created inside a probed function starts without instances")
  mutating func newThread() {
    thread.call("t", sp: top)
    var child = child(of: thread, as: .thread)
    #expect(child.task.returnInstances.isEmpty)
    child.call("y", sp: 0x6000_0000)
    child.call("x", sp: 0x6000_0000 - 32)
    child.return(sp: 0x6000_0000 - 32)
    child.return(sp: 0x6000_0000)
    #expect(child.takeLog() == "E y E x R x R y")
    thread.return(sp: top)
    #expect(thread.takeLog() == "E t R t")
  }

  @Test("s19: exec inside a probed function frees its instance")
  mutating func exec() {
    thread.call("e", sp: top - 0x1000)
    thread.task.free()
    #expect(thread.listed == [])
    thread.slots = [:]
    thread.call("x", sp: top)
    #expect(thread.lastEntry == EntryConclusion(.pushed))
    thread.return(sp: top)
    #expect(thread.takeLog() == "E e E x R x")
  }

  @Test(
    "s07, s08, s20, s25: a task that ends inside probed functions ends with its instances",
    arguments: [["a", "b", "c"], ["a", "b"], ["w", "spin"]])
  mutating func exit(names: [String]) {
    for (depth, name) in names.enumerated() { thread.call(name, sp: top - 32 * Address(depth)) }
    #expect(thread.takeLog() == names.map { "E \($0)" }.joined(separator: " "))
    #expect(thread.listed == names.reversed())
    #expect(thread.task.returnInstances.depth == names.count)
    thread.task.free()
    #expect(thread.listed == [])
    #expect(thread.task.returnInstances.depth == 0)
  }

  private func child(of parent: SimulatedThread, as copy: TaskCopy) -> SimulatedThread {
    var child = parent
    child.task = parent.task.copied(as: copy, rules: parent.rules)
    child.log = []
    return child
  }
}
