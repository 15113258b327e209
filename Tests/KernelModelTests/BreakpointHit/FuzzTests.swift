import ProbeEvents
import Testing

@testable import KernelModel

/// Everything is called at random, with sense and without. Nothing may trap, and what the kernel
/// counts must stay right.
@Suite("Random calls of uprobes")
struct FuzzTests {
  @Test(
    "no sequence of calls traps, and references, slots and holds add up",
    arguments: Epoch.allCases, Architecture.allCases)
  func random(epoch: Epoch, architecture: Architecture) {
    for seed in UInt64(1)...2 {
      var fuzz = Fuzz(UprobeRules(epoch: epoch, architecture: architecture), seed: seed)
      for step in 0..<1000 {
        if let problem = fuzz.step() {
          Issue.record("Fuzz(.\(epoch), .\(architecture), seed: \(seed)), step \(step): \(problem)")
          return
        }
      }
    }
  }

  @Test(
    "values that no decoder and no process makes are taken as they come", arguments: Epoch.allCases)
  func hostileValues(epoch: Epoch) {
    var random = SplitMix(seed: 5)
    let rules = UprobeRules(epoch: epoch, architecture: .x86_64)
    for _ in 0..<2000 {
      func bytes(_ most: Int) -> [UInt8] {
        (0..<Int.random(in: 0...most, using: &random)).map { _ in
          UInt8.random(in: 0...255, using: &random)
        }
      }
      let encoding = X86Encoding(
        bytes: bytes(16), is64Bit: Bool.random(using: &random), prefixes: bytes(4),
        rex: Bool.random(using: &random) ? bytes(1).first : nil, vex: bytes(4), opcode: bytes(3),
        modRM: bytes(1).first, sib: bytes(1).first, displacement: .min, immediate: .max,
        immediateBytes: Int.random(in: -3...20, using: &random), operandBytes: -1)
      _ = try? rules.analyzeInstruction(.x86(encoding), at: random.next(), isCompat: false)
    }
    var kernel = TestKernel(epoch)
    _ = try? kernel.register()
    for (start, end) in [(9, 3), (0, 0), (UInt64.max, 0), (0, UInt64.max)] as [(UInt64, UInt64)] {
      let mapping = Mapping(start: start, end: end, inode: TestKernel.inode, fileOffset: .max)
      var memory = AddressSpace()
      memory.mappings = [mapping]
      let space = kernel.uprobes.add(memory)
      kernel.uprobes.mapped(mapping, in: space)
      kernel.uprobes.moved(mappingAt: start, to: .max, in: space)
      kernel.uprobes.moved(mappingAt: start, to: 0, in: space)
      kernel.uprobes.unmapped(from: 0, to: .max, in: space)
      _ = try? kernel.register()
      #expect(kernel.contents(0x110) == .breakpoint)
    }
  }

  struct Fuzz {
    var random: SplitMix
    var uprobes: Uprobes
    var memory = TestMemory()
    var tasks: [ProbedTask] = []
    var registrations: [Registration] = []
    var pending: [PendingRegistration] = []
    var now: UInt64 = 0

    init(_ rules: UprobeRules, seed: UInt64) {
      random = SplitMix(seed: seed)
      var kernel = TestKernel(rules)
      kernel.uprobes.spaces[0].optimizedTrampolinePlace = 0x41_0000
      uprobes = kernel.uprobes
      for _ in 0..<3 { tasks.append(kernel.task) }
      memory = kernel.memory
    }

    mutating func number(_ range: Range<Int>) -> Int { Int.random(in: range, using: &random) }

    mutating func chance(_ one: Int) -> Bool { number(0..<one) == 0 }

    mutating func offset() -> UInt64 {
      chance(20)
        ? UInt64.random(in: 0...0x2000, using: &random)
        : [0x100, 0x110, 0x120, 0x130, 0x140, 0x150, 0x160, 0x170, 0x1000][number(0..<9)]
    }

    mutating func space() -> Int { chance(30) ? number(-1..<9) : number(0..<uprobes.spaces.count) }

    mutating func consumer() -> Consumer {
      var consumer = Consumer(
        hasHandler: number(0..<4) > 0, hasReturnHandler: number(0..<3) > 0)
      if chance(3) { consumer.filter = .spaces([number(0..<3), number(0..<3)]) }
      return consumer
    }

    mutating func address() -> UInt64 {
      if chance(30) { return UInt64.random(in: 0...UInt64.max, using: &random) }
      return TestKernel.base &+ offset()
    }

    mutating func step() -> String? {
      if chance(40) { uprobes.allocationsLeft = chance(2) ? number(0..<3) : nil }
      switch number(0..<24) {
      case 0...2: register()
      case 3: begin()
      case 4: finish()
      case 5: unregister()
      case 6: mapEvent()
      case 7...15: hit(number(0..<tasks.count))
      case 16, 17: endStep(number(0..<tasks.count))
      case 18: arrive(number(0..<tasks.count))
      case 19: signal(number(0..<tasks.count))
      case 20: copyTask()
      case 21: passTime()
      case 22: syscall(number(0..<tasks.count))
      default: applyFilter()
      }
      return problem()
    }

    mutating func register() {
      let counter: UInt64 = chance(3) ? [0x800, 0x801, 0x802][number(0..<3)] : 0
      let (consumer, offset) = (consumer(), offset())
      let registration = try? uprobes.register(
        consumer, inode: chance(20) ? 9 : TestKernel.inode, offset: offset,
        referenceCounterOffset: counter)
      if let registration { registrations.append(registration) }
    }

    mutating func begin() {
      let (consumer, offset) = (consumer(), offset())
      if let begun = try? uprobes.beginRegistration(
        consumer, inode: TestKernel.inode, offset: offset)
      {
        pending.append(begun)
      }
    }

    mutating func finish() {
      guard !pending.isEmpty else { return }
      let begun = pending.remove(at: number(0..<pending.count))
      if let registration = try? uprobes.finishRegistration(begun) {
        registrations.append(registration)
      }
    }

    mutating func unregister() {
      if chance(20) {
        uprobes.unregister(
          Registration(probe: UprobeIdentity(rawValue: UInt64(number(0..<50))), consumer: .max))
      } else if !registrations.isEmpty {
        uprobes.unregister(registrations.remove(at: number(0..<registrations.count)))
      }
      if chance(2) { uprobes.runDeferredWork() }
    }

    mutating func mapEvent() {
      let space = space()
      switch number(0..<9) {
      case 0, 1: uprobes.mapped(TestKernel.text, in: space, isDying: chance(9))
      case 2: uprobes.mapped(TestKernel.counters, in: space)
      case 3:
        let start = address()
        uprobes.unmapped(from: start, to: start &+ UInt64(number(0..<0x2000)), in: space)
      case 4: uprobes.moved(mappingAt: TestKernel.base, to: address() & ~0xfff, in: space)
      case 5 where uprobes.spaces.count < 6: _ = uprobes.duplicated(space)
      case 6 where chance(5): uprobes.ended(space)
      case 7 where chance(3): uprobes.replaced(space, by: AddressSpace())
      default:
        guard uprobes.spaces.indices.contains(space) else { return }
        uprobes.spaces[space].sites[address()] = SiteContents.allCases[number(0..<5)]
      }
    }

    mutating func call() -> (HandlerCall, moves: Bool) {
      let results: [Int32] = [0, 0, 0, 1, 2, 3, -1, .min]
      return (
        HandlerCall(HandlerResult(rawValue: results[number(0..<8)]), cookie: random.next()),
        chance(15)
      )
    }

    mutating func notify(_ index: Int) {
      let (call, moves) = call()
      let elsewhere = address()
      let pointer = uprobes.rules.architecture.registerLayout.instructionPointer
      _ = uprobes.notifyResume(&tasks[index], now: now, memory: &memory) { _, registers in
        if moves { registers[pointer] = elsewhere }
        return call
      }
    }

    mutating func hit(_ index: Int) {
      if chance(4) { _ = uprobes.resumeWaiting(&tasks[index]) }
      // A task that sleeps or steps does not run into breakpoints; mostly.
      guard tasks[index].waiting == nil, tasks[index].step.probe == nil || chance(50) else {
        return
      }
      let layout = uprobes.rules.architecture.registerLayout
      let slot = TestKernel.stack &- 8 * UInt64(number(0..<40))
      tasks[index].registers[layout.stackPointer] = chance(50) ? random.next() : slot
      let word = chance(10) ? TestKernel.area : TestKernel.caller
      if chance(2) { _ = memory.writeWord(word, at: slot, bytes: 8) }
      memory.isClosed = chance(30)
      tasks[index].isCompat = chance(10)
      tasks[index].registers[layout.instructionPointer] = address() &+ UInt64(number(0..<2))
      if uprobes.claimsBreakpoint(&tasks[index]) || chance(50) { notify(index) }
    }

    mutating func endStep(_ index: Int) {
      if chance(8) { tasks[index].step.state = SingleStep.State.allCases[number(0..<4)] }
      let layout = uprobes.rules.architecture.registerLayout
      tasks[index].registers[layout.instructionPointer] =
        tasks[index].step.xolAddress &+ UInt64(number(0..<6))
      if uprobes.claimsStep(&tasks[index]) { notify(index) }
    }

    mutating func arrive(_ index: Int) {
      guard tasks[index].waiting == nil, tasks[index].step.probe == nil else { return }
      let layout = uprobes.rules.architecture.registerLayout
      let isX86 = uprobes.rules.architecture == .x86_64
      tasks[index].registers[layout.stackPointer] =
        TestKernel.stack &- 8 * UInt64(number(0..<40)) &+ 8
      tasks[index].registers[layout.instructionPointer] = TestKernel.area &+ (isX86 ? 1 : 0)
      if uprobes.claimsBreakpoint(&tasks[index]) { notify(index) }
    }

    mutating func signal(_ index: Int) {
      tasks[index].isSignalPending = true
      tasks[index].hasFatalSignal = chance(3)
      if chance(3) { tasks[index].step.faultNumber = 14 }
      _ = tasks[index].deferSignal()
      if chance(2) { notify(index) }
    }

    mutating func copyTask() {
      let parent = number(0..<tasks.count)
      let copy = TaskCopy.allCases[number(0..<3)]
      let child = uprobes.copied(
        &tasks[parent], as: copy,
        space: copy == .fork ? space() : tasks[parent].space)
      if tasks.count < 60 {
        tasks.append(child)
      } else {
        let victim = number(0..<tasks.count)
        uprobes.free(&tasks[victim])
        tasks[victim] = child
      }
    }

    mutating func passTime() {
      now &+= UInt64(number(0..<150))
      for index in tasks.indices { uprobes.pass(toMilliseconds: now, &tasks[index]) }
      if chance(3) { uprobes.free(&tasks[number(0..<tasks.count)]) }
    }

    mutating func syscall(_ index: Int) {
      guard tasks[index].waiting == nil, tasks[index].step.probe == nil else { return }
      tasks[index].registers[X86Register.ip] = 0x41_0000 &+ UInt64(number(0..<20))
      tasks[index].registers[X86Register.sp] = TestKernel.stack &- 0x100
      for slot in 0..<4 {
        let word = address()
        _ = memory.writeWord(
          word, at: TestKernel.stack &- 0x100 &+ 8 * UInt64(slot), bytes: 8)
      }
      let (call, moves) = call()
      _ = uprobes.handleUprobeSyscall(&tasks[index], now: now, memory: &memory) { _, registers in
        if moves { registers[X86Register.sp] &+= 8 }
        return call
      }
    }

    mutating func applyFilter() {
      guard let registration = registrations.randomElement(using: &random) else { return }
      try? uprobes.apply(
        registration, filter: .spaces([number(0..<4)]), adding: chance(2))
    }

    /// What does not add up.
    func problem() -> String? {
      if let problem = slotProblem() { return problem }
      for task in tasks {
        guard task.pending.count == task.returns.returnInstances.count else {
          return "\(task.pending.count) holds for \(task.returns.returnInstances.count) instances"
        }
        for (index, pending) in task.pending.enumerated()
        where pending.entry != task.returns.returnInstances[index].entry {
          return "holds are not in the order of instances"
        }
      }
      for probe in uprobes.probes {
        if let problem = referenceProblem(probe) { return problem }
      }
      let active = uprobes.probes.filter(\.isActive)
      let places = Set(active.map { [$0.inode, $0.offset] })
      return places.count == active.count ? nil : "two active probes at one place"
    }

    /// Slots are taken by the trampoline and by tasks in a step, each by one.
    func slotProblem() -> String? {
      for (number, space) in uprobes.spaces.enumerated() {
        guard let area = space.xolArea else { continue }
        let stepping = tasks.count { $0.space == number && $0.step.xolAddress != 0 }
        // Memory can be replaced under a task here, which does not happen to a real one: then there
        // are fewer.
        if area.takenCount > stepping + 1 { return "slots are lost" }
      }
      return nil
    }

    /// References are held by the table or the registrations, by those who have begun one, by steps,
    /// sleepers, and stable returns.
    func referenceProblem(_ probe: Uprobe) -> String? {
      let identity = probe.identity
      var held = pending.count { $0.probe == identity }
      for task in tasks {
        held += task.step.probe == identity ? 1 : 0
        held += task.waiting?.probe == identity ? 1 : 0
        held += task.pending.count { $0.probe == identity && $0.hold.state == .stable }
      }
      switch uprobes.rules.probeLifetime {
      case .creationAndAccess: held += probe.isActive ? 1 : 0
      case .perRegistration: held += probe.consumers.count
      }
      // A probe whose breakpoint could not be removed is kept by nobody, for ever.
      let isLeaked = uprobes.warnings.contains(.leakedProbe)
      let isRight = isLeaked ? probe.references >= held : probe.references == held
      return isRight ? nil : "\(probe.references) references, \(held) held"
    }
  }
}
