import KernelModel
import ProbeEvents
import Testing

@Suite("Replacing the return address")
struct HijackTests {
  let trampoline32: Address = 0xf7ff_c000

  @Test("a 32-bit task's return address is the lower half of the window's first word")
  func compatWord() {
    let rules = ReturnProbeRules(epoch: .e3, architecture: .x86_64)
    var task = UprobeTask()
    let conclusion = enter(&task, rules, word: 0xdead_beef_0804_8123, sp: 0xffff_d000)
    #expect(conclusion == EntryConclusion(.pushed))
    #expect(task.returnInstances[0].originalReturnAddress == 0x0804_8123)
  }

  @Test("a 32-bit tail call is chained whatever the next word holds")
  func compatChain() {
    let rules = ReturnProbeRules(epoch: .e3, architecture: .x86_64)
    var task = UprobeTask()
    _ = enter(&task, rules, word: 0xdead_beef_0804_8123, sp: 0xffff_d000)
    let conclusion = enter(
      &task, rules, word: 0xdead_beef_0000_0000 | trampoline32, sp: 0xffff_d000)
    #expect(conclusion == EntryConclusion(.chained))
    #expect(task.returnInstances[0].originalReturnAddress == 0x0804_8123)
  }

  @Test("a 32-bit caller whose slot is the next word counts as alive at a return")
  func compatLiveness() {
    let rules = ReturnProbeRules(epoch: .e8, architecture: .x86_64)
    var task = UprobeTask()
    var popped = PoppedInstances()
    _ = enter(&task, rules, word: 0x0804_8000, sp: 0xffff_d004)
    _ = enter(&task, rules, word: 0x0804_8123, sp: 0xffff_d000)
    let conclusion = task.handleTrampoline(
      TrampolineArrival(stackPointer: 0xffff_d004, isCompat: true), rules: rules, popped: &popped)
    #expect(conclusion == .returned(to: 0x0804_8123))
    #expect(popped.count == 1)
    #expect(task.returnInstances.count == 1)
  }

  @Test("before 5.3 a 32-bit task's return address is read with the word above it")
  func compatBug() {
    let rules = ReturnProbeRules(
      kernel: KernelFacts(architecture: .x86_64, release: "5.2.11"))
    var task = UprobeTask()
    let conclusion = enter(&task, rules, word: 0xdead_beef_0804_8123, sp: 0xffff_d000)
    #expect(conclusion == EntryConclusion(.pushed))
    #expect(task.returnInstances[0].originalReturnAddress == 0xdead_beef_0804_8123)
    // Its own eight bytes are recognised again, four of them are not.
    #expect(enter(&task, rules, word: trampoline32, sp: 0xffff_d000).outcome == .chained)
    #expect(enter(&task, rules, word: 1 << 32 | trampoline32, sp: 0xffff_d000).outcome == .pushed)
  }

  @Test("64-bit tasks use the whole word, also where 32-bit ones use four bytes")
  func wholeWord() {
    let rules = ReturnProbeRules(epoch: .e8, architecture: .x86_64)
    var task = UprobeTask()
    _ = enter(&task, rules, word: 0xdead_beef_0804_8123, sp: 0x7fff_0000, isCompat: false)
    #expect(task.returnInstances[0].originalReturnAddress == 0xdead_beef_0804_8123)
  }

  @Test(
    "before there is a trampoline no return address can be it", arguments: Epoch.allCases,
    Architecture.allCases)
  func noTrampolineYet(epoch: Epoch, architecture: Architecture) {
    let rules = ReturnProbeRules(epoch: epoch, architecture: architecture)
    var task = UprobeTask()
    let conclusion = task.handleBreakpoint(
      EntryCause(
        instructionPointer: 0x40_0000, stackPointer: 1000, returnAddress: 0, trampoline: 0,
        entry: 7, wantsReturn: true),
      rules: rules)
    #expect(conclusion == EntryConclusion(.pushed))
    #expect(
      task.returnInstances[0]
        == ReturnInstance(
          function: 0x40_0000, stackPointer: 1000, originalReturnAddress: 0, isChained: false,
          entry: 7))
  }

  @Test(
    "a return address of all ones looks like a failure and drops nothing",
    arguments: Architecture.allCases)
  func allOnes(architecture: Architecture) {
    let rules = ReturnProbeRules(epoch: .e8, architecture: architecture)
    var task = UprobeTask()
    _ = enter(&task, rules, word: 0x1000, sp: 900, isCompat: false)
    let conclusion = enter(&task, rules, word: .max, sp: 1000, isCompat: false)
    #expect(conclusion == EntryConclusion(.hijackFailed))
    #expect(task.returnInstances.count == 1)
  }

  private func enter(
    _ task: inout UprobeTask, _ rules: ReturnProbeRules, word: UInt64, sp: Address,
    isCompat: Bool = true
  ) -> EntryConclusion {
    task.handleBreakpoint(
      EntryCause(
        instructionPointer: 0x0804_9000, stackPointer: sp, returnAddress: word,
        trampoline: trampoline32, entry: 0, wantsReturn: true, isCompat: isCompat),
      rules: rules)
  }
}
