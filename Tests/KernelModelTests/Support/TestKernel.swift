import ProbeEvents

@testable import KernelModel

/// A kernel with one file that is mapped at 0x400000 by each process, and a stack.
///
/// Offsets: 0x100 a push, 0x110 a move (stepped), 0x120 a call's target, 0x130 five bytes of nop,
/// 0x140 ten, 0x150 a breakpoint, 0x160 a refused instruction, 0x170 nothing decodable.
struct TestKernel {
  static let inode: UInt64 = 7
  static let base: UInt64 = 0x40_0000
  static let data: UInt64 = 0x60_0000
  static let stack: UInt64 = 0x7000
  static let area: UInt64 = 0x7fff_ffff_e000
  static let caller: UInt64 = 0x40_0999

  var uprobes: Uprobes
  var memory = TestMemory()
  var task: ProbedTask
  /// Which consumers' entry handlers ran.
  var entered: [UInt64] = []

  init(_ rules: UprobeRules, mapsFile: Bool = true) {
    let x86: [UInt64: ProbedInstruction] = [
      0x100: .x86(.push), 0x110: .x86(.move), 0x120: .x86(.make([0xe8], immediate: [0, 1, 0, 0])),
      0x130: .x86(.nop5), 0x140: .x86(.nop10), 0x150: .x86(.make([0xcc])),
      0x160: .x86(.make([0xf4])), 0x170: .undecodable,
    ]
    let arm: [UInt64: ProbedInstruction] = [
      0x100: .arm64(ARM64Instruction(rawValue: 0x1400_0002)),
      0x110: .arm64(ARM64Instruction(rawValue: 0x9100_03fd)),
      0x150: .arm64(.breakpoint), 0x160: .arm64(ARM64Instruction(rawValue: 0xd400_0001)),
    ]
    uprobes = Uprobes(
      rules: rules,
      files: [
        ProbedFile(
          inode: Self.inode, sizeBytes: 0x1000,
          instructions: rules.architecture == .x86_64 ? x86 : arm)
      ])
    task = ProbedTask(space: 0)
    _ = uprobes.add(AddressSpace())
    if mapsFile { map(0) }
    task.registers[stackPointer] = Self.stack
    _ = memory.writeWord(Self.caller, at: Self.stack, bytes: 8)
  }

  init(_ epoch: Epoch = .e7, _ architecture: Architecture = .x86_64, mapsFile: Bool = true) {
    self.init(UprobeRules(epoch: epoch, architecture: architecture), mapsFile: mapsFile)
  }

  var instructionPointer: Int { uprobes.rules.architecture.registerLayout.instructionPointer }
  var stackPointer: Int { uprobes.rules.architecture.registerLayout.stackPointer }

  static let text = Mapping(start: base, end: base + 0x1000, inode: inode)
  static let counters = Mapping(
    start: data, end: data + 0x1000, inode: inode, isWritable: true, mayExecute: false)

  /// Maps the file's text in a process.
  mutating func map(_ space: Int) { uprobes.mapped(Self.text, in: space) }

  /// Adds a process that has the file mapped.
  mutating func addProcess() -> Int {
    let space = uprobes.add(AddressSpace())
    map(space)
    return space
  }

  static let entry = Consumer(hasHandler: true, hasReturnHandler: false)
  static let both = Consumer(hasHandler: true, hasReturnHandler: true)
  static let returning = Consumer(hasHandler: false, hasReturnHandler: true)

  mutating func register(
    _ consumer: Consumer = TestKernel.entry, at offset: UInt64 = 0x110, counter: UInt64 = 0
  ) throws(UprobeRefusal) -> Registration {
    try uprobes.register(
      consumer, inode: Self.inode, offset: offset, referenceCounterOffset: counter)
  }

  func contents(_ offset: UInt64, space: Int = 0) -> SiteContents {
    uprobes.spaces[space].contents(at: Self.base + offset)
  }

  func references(_ registration: Registration) -> Int? {
    uprobes.probes.first { $0.identity == registration.probe }?.references
  }

  /// The task runs into the instruction at an offset, as the processor reports a breakpoint there.
  mutating func hit(
    _ offset: UInt64, now: UInt64 = 0, _ call: HandlerCall = HandlerCall(),
    change: (inout RegisterFile) -> Void = { _ in }
  ) -> NotifyOutcome {
    hit(offset, now: now) { _, registers in
      change(&registers)
      return call
    }
  }

  mutating func hit(
    _ offset: UInt64, now: UInt64 = 0,
    handle: (Consumer, inout RegisterFile) -> HandlerCall
  ) -> NotifyOutcome {
    trap(at: Self.base + offset, now: now, handle: handle)
  }

  mutating func trap(
    at address: UInt64, now: UInt64 = 0,
    handle: (Consumer, inout RegisterFile) -> HandlerCall = { _, _ in HandlerCall() }
  ) -> NotifyOutcome {
    let isX86 = uprobes.rules.architecture == .x86_64
    task.registers[instructionPointer] = isX86 ? address + 1 : address
    guard uprobes.claimsBreakpoint(&task) else { return .notNotified }
    var entered = self.entered
    let outcome = uprobes.notifyResume(&task, now: now, memory: &memory) { consumer, registers in
      entered.append(consumer.identity)
      return handle(consumer, &registers)
    }
    self.entered = entered
    return outcome
  }

  /// The processor reports the end of a step, with the instruction pointer behind the copy.
  mutating func endStep(length: UInt64 = 2) -> NotifyOutcome {
    task.registers[instructionPointer] = task.step.xolAddress + length
    guard uprobes.claimsStep(&task) else { return .notNotified }
    return uprobes.notifyResume(&task, memory: &memory) { _, _ in HandlerCall() }
  }

  /// The task returns to the trampoline from the function it entered with the stack pointer.
  mutating func returns() -> NotifyOutcome {
    task.registers[stackPointer] =
      Self.stack + (uprobes.rules.architecture == .x86_64 ? 8 : 0)
    return trap(at: Self.area)
  }

  var next: UInt64 { task.registers[instructionPointer] }
}
