import KernelModel
import ProbeEvents
import Testing

/// Random calls in random order, lawful and not: whatever is asked of the model has an answer, and
/// what must always hold does.
@Suite("Random calls of the kprobe model")
struct KprobeRandomTests {
  static let steps = 3_000

  @Test(
    "no sequence of calls traps, and the invariants hold", arguments: KprobeEpoch.allCases,
    Architecture.allCases)
  func anything(epoch: KprobeEpoch, architecture: Architecture) {
    var kinds: Set<String> = []
    for seed in 1...3 as ClosedRange<UInt64> {
      var walk = KprobeWalk(epoch, architecture, seed: seed)
      for step in 0..<Self.steps {
        walk.step()
        if let difference = walk.difference() {
          Issue.record("\(epoch) \(architecture), seed \(seed), step \(step): \(difference)")
          return
        }
      }
      kinds.formUnion(walk.kinds)
    }
    // A walk that never meets an outcome says nothing about it.
    #expect(kinds.isSuperset(of: ["declined", "call", "resume", "passOn", "stop"]))
  }
}

/// One random life of a kernel and a processor.
struct KprobeWalk {
  var fixture: KprobeFixture
  var random: SplitMix
  var ids: [KprobeID] = []
  var returnProbes: [KretprobeID] = []
  var tasks = [KretprobeTask](repeating: KretprobeTask(), count: 3)
  var last = KprobeRegisters(instructionPointer: 0)
  /// The kinds of outcome met.
  var kinds: Set<String> = []
  let addresses: [Address]
  /// Whether owners write to their probes only while those are not registered, and do not register
  /// them twice in a way the kernel does not notice.
  let isLawful: Bool

  init(_ epoch: KprobeEpoch, _ architecture: Architecture, seed: UInt64) {
    var random = SplitMix(seed: seed)
    isLawful = seed > 1
    let fork = KprobeFixture.fork
    let core = KprobeFixture.moduleCore.lowerBound
    addresses = [
      0, 1, .max, fork, fork + 4, fork + 8, KprobeFixture.read, KprobeFixture.write, core,
      KprobeFixture.moduleInit.lowerBound, KprobeFixture.slots, KprobeFixture.slots + 4,
      KprobeFixture.slots + 1,
    ]
    var text = KprobeFixture.text()
    text.jumps = [fork..<fork + 7, core..<core + 5]
    text.ftraceCalls = [KprobeFixture.write..<KprobeFixture.write + 5]
    for address in addresses {
      let word = UInt32(truncatingIfNeeded: random.next())
      let length = 1 + random.next() % 16
      text.instructions[address] =
        switch architecture {
        case .aarch64: Bool.random(using: &random) ? .arm(word) : .plain(.aarch64)
        case .x86_64:
          .x86(
            X86Instruction(
              opcode: UInt8(truncatingIfNeeded: word), modRM: UInt8(truncatingIfNeeded: word >> 8),
              immediate: Int32(bitPattern: word), length: length,
              canBoost: Bool.random(using: &random)))
        }
    }
    let canOptimize = Bool.random(using: &random)
    let isPreemptible = Bool.random(using: &random)
    fixture = KprobeFixture(epoch, architecture, text: text) {
      $1.canOptimize = canOptimize
      $1.isPreemptible = isPreemptible
      $1.slotCount = 6
    }
    self.random = random
  }

  mutating func pick(_ count: Int) -> Int { Int.random(in: 0..<count, using: &random) }
  mutating func flip() -> Bool { Bool.random(using: &random) }
  mutating func address() -> Address { addresses[pick(addresses.count)] }

  mutating func registers() -> KprobeRegisters {
    if pick(3) == 0 { return last }
    var registers = fixture.trapped(at: 0, flags: random.next())
    let length: Address = fixture.kernel.rules.architecture == .x86_64 ? 1 : 0
    registers.instructionPointer = address() &+ length
    registers.stackPointer = random.next()
    registers.stackWord = random.next()
    registers.isUser = pick(20) == 0
    for index in 0..<32 { registers.general[index] = random.next() }
    return registers
  }

  mutating func note(_ outcome: KprobeOutcome) {
    switch outcome {
    case .declined: kinds.insert("declined")
    case .call(_, let registers):
      kinds.insert("call")
      last = registers
    case .resume(let registers):
      kinds.insert("resume")
      last = registers
    case .passOn(let registers):
      kinds.insert("passOn")
      last = registers
    case .stop:
      kinds.insert("stop")
      // The machine is started again.
      fixture.processor = KprobeProcessor()
    }
  }

  mutating func step() {
    switch pick(12) {
    case 0: owner()
    case 1: returns()
    case 2: kernelWide()
    case 3, 4, 5:
      note(fixture.kernel.breakpoint(registers(), isInText: flip(), on: &fixture.processor))
    case 6: endStep()
    case 7:
      note(
        fixture.kernel.fault(
          registers(), hasFixUp: flip(), isPreemptible: pick(8) == 0, on: &fixture.processor))
    case 8, 9:
      let result: Int32 = pick(6) == 0 ? 1 : 0
      note(fixture.kernel.handlerReturned(result, registers(), on: &fixture.processor))
    case 10: exception()
    default: otherHits()
    }
    // A processor whose handlers never return would be all that is seen.
    if fixture.processor.calls.count > 8 { fixture.processor = KprobeProcessor() }
  }

  mutating func owner() {
    guard ids.count > 4, pick(4) > 0 else {
      guard ids.count < 24 else { return ids.removeAll() }
      let symbol = pick(6) == 0 ? "read" : nil
      // An offset is added at every registration, so that a second one is not recognised.
      let offset = isLawful && symbol == nil ? 0 : UInt64(pick(2) * 4)
      ids.append(
        fixture.kernel.declare(
          Kprobe(
            address: pick(6) == 0 ? nil : address(), symbol: symbol, offset: offset,
            handlers: KprobeHandlers(rawValue: UInt8(pick(16))),
            flags: KprobeFlags(rawValue: UInt32(pick(32))))))
      return
    }
    let id = ids[pick(ids.count)]
    switch pick(7) {
    case 0: fixture.kernel.unregister(id)
    case 1: try? fixture.kernel.disable(id)
    case 2: try? fixture.kernel.enable(id)
    case 3: try? fixture.kernel.register([id, ids[pick(ids.count)]])
    case 4:
      let isRegistered = fixture.kernel.table.validEntry(of: id) != nil
      if isLawful && isRegistered { return }
      let place = flip() ? nil : address()
      fixture.kernel.edit(id) {
        $0.address = place
        $0.flags.remove(.disabled)
      }
    default: try? fixture.kernel.register(id)
    }
  }

  mutating func returns() {
    guard returnProbes.count > 2 else {
      returnProbes.append(
        fixture.kernel.declareReturnProbe(
          address: address(), hasHandler: flip(), hasEntryHandler: flip(),
          instanceLimit: pick(4) - 1))
      return
    }
    let id = returnProbes[pick(returnProbes.count)]
    let task = pick(tasks.count)
    switch pick(7) {
    case 0: try? fixture.kernel.registerReturnProbe(id)
    case 1: fixture.kernel.unregisterReturnProbe(id)
    case 2: _ = fixture.kernel.returnThroughTrampoline(frame: UInt64(pick(3)), in: &tasks[task])
    case 3: fixture.kernel.flush(&tasks[task])
    case 4: fixture.kernel.beginReturnHandler(id, on: &fixture.processor)
    case 5: fixture.kernel.endReturnHandler(on: &fixture.processor)
    default:
      var word = pick(4) == 0 ? fixture.kernel.returnTrampoline : random.next()
      _ = fixture.kernel.enterReturnProbe(
        id, returnAddress: &word, frame: UInt64(pick(3)), isInNMI: flip(), canBeFreed: flip(),
        handlerDeclines: flip(), in: &tasks[task])
    }
  }

  mutating func kernelWide() {
    switch pick(9) {
    case 0: fixture.kernel.disarmAll()
    case 1, 2: fixture.kernel.armAll()
    case 3: fixture.kernel.setOptimization(flip())
    case 4, 5: fixture.kernel.runOptimizer()
    case 6:
      let state = KernelModule.State.allCases[pick(3)]
      fixture.kernel.moduleChanged("work", to: state)
      fixture.kernel.text.modules[0].canBePinned = true
    case 7: fixture.kernel.freedInitialText(address()..<Address.max)
    default: if flip() { fixture.processor.beginBusy() } else { fixture.processor.endBusy() }
    }
  }

  mutating func endStep() {
    var registers = last
    registers.instructionPointer &+= UInt64(pick(6))
    note(
      flip()
        ? fixture.kernel.stepTrap(registers, on: &fixture.processor)
        : fixture.kernel.breakpoint(registers, on: &fixture.processor))
  }

  mutating func exception() {
    var hooks = ARMDebugHooks()
    hooks.kernelStep = [flip()]
    hooks.userBreak = [ARMDebugHooks.Break(UInt16(pick(8)))]
    var breakpoints = ARMSuspendedBreakpoints()
    breakpoints.kernelStep = ARMSuspendedBreakpoints.KernelStep.allCases[pick(3)]
    breakpoints.areBreakpointsOff = flip()
    let syndrome = UInt32(truncatingIfNeeded: random.next())
    let exception =
      flip()
      ? ARMDebugException(syndrome: syndrome, registers: registers())
      : ARMDebugException.breakpoint(UInt16(pick(8)), registers())
    let conclusion = fixture.kernel.debugException(
      exception, hooks: hooks, breakpoints: &breakpoints, on: &fixture.processor)
    if case .kprobe(let outcome) = conclusion { note(outcome) }
  }

  mutating func otherHits() {
    let listed = fixture.kernel.table.listed
    if flip(), !listed.isEmpty {
      let entry = listed[pick(listed.count)]
      note(fixture.kernel.optimizedHit(entry, registers(), on: &fixture.processor))
    } else {
      note(
        fixture.kernel.ftraceHit(
          address(), registers(), isRecursing: pick(8) == 0, on: &fixture.processor))
    }
  }

  /// What is wrong, or nil.
  func difference() -> String? {
    guard isLawful else { return nil }
    let table = fixture.kernel.table
    var slots: Set<Address> = []
    var places: Set<Address> = []
    for id in table.listed {
      guard let entry = table[id] else { return "a listed entry does not exist" }
      guard places.insert(entry.address).inserted else { return "two entries at one address" }
      if let slot = entry.instruction.slot, !slots.insert(slot).inserted {
        return "two copies in one slot"
      }
      if !entry.isAggregate && entry.members.count != 1 { return "alone, but not one" }
      if Set(entry.members).count != entry.members.count { return "a member twice" }
      let flags = table.flags(of: id)
      // Switching all probes on arms gone ones as well, and nothing disarms them.
      let wasGone = entry.members.contains { table[$0]?.flags.contains(.gone) == true }
      if !wasGone && flags.contains(.disabled) && entry.isArmed && entry.optimization != .unqueued
        && entry.optimization != .leaving
      {
        return "disabled, but armed: \(entry.address) \(entry.members.map { table[$0] })"
      }
      if entry.optimization == .done && entry.hasPostHandler { return "a jump and a post-handler" }
    }
    for id in returnProbes {
      guard let probe = fixture.kernel[id] else { return "a return probe is lost" }
      if probe.free < 0 || probe.free > max(probe.instanceLimit, 0) { return "\(probe)" }
    }
    return nil
  }
}
