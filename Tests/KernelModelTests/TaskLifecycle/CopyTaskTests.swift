import KernelModel
import ProbeEvents
import Testing

@Suite("Copies for children")
struct CopyTaskTests {
  @Test(
    "until 3.12 every child starts empty",
    arguments: [Epoch.e0, .e1], TaskCopy.allCases)
  func nothingInherited(epoch: Epoch, copy: TaskCopy) {
    let parent = busyThread(epoch)
    let child = parent.task.copied(as: copy, rules: parent.rules)
    #expect(child.returnInstances.count == 0)
    #expect(child.returnInstances.depth == 0)
  }

  @Test(
    "since 3.13 children of fork and vfork have their parent's instances, threads none",
    arguments: Epoch.allCases.filter { $0 >= .e2 }, Architecture.allCases)
  func inherited(epoch: Epoch, architecture: Architecture) {
    let parent = busyThread(epoch, architecture)
    for copy in [TaskCopy.fork, .vfork] {
      let child = parent.task.copied(as: copy, rules: parent.rules).returnInstances
      #expect(child.count == 3)
      #expect(child.depth == 3)
      for index in 0..<3 { #expect(child[index] == parent.task.returnInstances[index]) }
    }
    let thread = parent.task.copied(as: .thread, rules: parent.rules)
    #expect(thread.returnInstances.isEmpty)
    #expect(parent.listed == ["c", "b", "a"])
  }

  @Test("a copy counts its depth anew, though its parent's leaked")
  func recounted() {
    var rules = ReturnProbeRules(epoch: .e2, architecture: .x86_64)
    rules.depthAccounting = .leaksUnlessChained
    var parent = SimulatedThread(rules)
    for _ in 0..<10 {
      parent.call("f", sp: 1000)
      parent.return(sp: 1000)
    }
    parent.call("f", sp: 1000)
    #expect(parent.task.returnInstances.depth == 11)
    let child = parent.task.copied(as: .fork, rules: rules)
    #expect(child.returnInstances.depth == 1)
  }

  @Test(
    "a child that inherits nothing takes the trap when it returns through an inherited frame",
    arguments: [Epoch.e0, .e1])
  func strandedChild(epoch: Epoch) {
    var child = busyThread(epoch)
    child.task = child.task.copied(as: .vfork, rules: child.rules)
    _ = child.takeLog()
    child.return(sp: 968)
    #expect(child.takeLog() == "SIGNAL 5")
  }

  private func busyThread(
    _ epoch: Epoch, _ architecture: Architecture = .x86_64
  ) -> SimulatedThread {
    var thread = SimulatedThread(epoch, architecture)
    thread.call("a", sp: 1000)
    thread.call("b", sp: 968)
    thread.jump("c", sp: 968)
    return thread
  }
}
