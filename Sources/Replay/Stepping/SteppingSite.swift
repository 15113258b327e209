import InstructionDecoding
import KernelModel
import ProbeEvents

/// One probed place in a kernel of its own: a file with one instruction, the probe on it, and the
/// processes that hit it, each with the file mapped where the tape has it.
///
/// A hit goes through the model the way it goes through the kernel: the trap is claimed, the handlers
/// run, the instruction is emulated, or stepped and set right, or comes by system call.
struct SteppingSite {
  /// Address spaces kept at a time; a tape that has more of them begins anew.
  private static let spacesMax = 64

  /// How far from its own address the instruction may go on, as far as its bytes say.
  let successors: [Int64]

  private let rules: UprobeRules
  private let referenceCounter: UInt64
  private let isCompat: Bool
  private let instruction: ProbedInstruction
  private let processor: ProcessorStep
  private var kernel: Uprobes
  private var processes: [Int32: Process] = [:]

  private struct Process {
    var space: Int
    var address: Address
  }

  /// A site; nil when its bytes are no instruction.
  init?(
    _ probe: Probe, _ rules: UprobeRules, _ decoder: borrowing InstructionDecoder,
    isCompat: Bool
  ) {
    let instruction = decoder.decode(probe.originalBytes)
    guard instruction != .undecodable, let effects = decoder.effects(probe.originalBytes) else {
      return nil
    }
    self.rules = rules
    referenceCounter = probe.referenceCounter
    self.instruction = instruction
    successors = instruction.successors
    self.isCompat = isCompat
    let behind = Array(probe.originalBytes.dropFirst(instruction.length ?? 0))
    processor = ProcessorStep(
      instruction: instruction, effects: effects,
      behind: decoder.effects(behind).map { (decoder.decode(behind), $0) })
    kernel = Uprobes(rules: rules)
  }

  /// The process has replaced its program.
  mutating func forget(_ process: Int32) { processes[process] = nil }

  /// What must follow from a hit.
  mutating func follow(
    _ registers: RegisterFile, at address: Address, in process: Int32, _ window: ArraySlice<UInt64>
  ) -> StepOutcome {
    let space: Int
    do throws(UprobeRefusal) {
      space = try self.space(of: process, at: address)
    } catch {
      return .refused(errno: error.errno)
    }
    let layout = rules.architecture.registerLayout
    var task = ProbedTask(space: space, registers: registers, isCompat: isCompat)
    var memory = StepMemory(
      stackPointer: registers[layout.stackPointer], window: window)
    guard kernel.spaces[space].contents(at: address) != .optimizedCall else {
      return enterBySystemCall(&task, at: address, &memory)
    }
    task.registers[layout.instructionPointer] =
      rules.architecture == .x86_64 ? address &+ 1 : address
    guard kernel.claimsBreakpoint(&task),
      case .hit(let outcome) = kernel.notifyResume(
        &task, memory: &memory, handle: { _, _ in HandlerCall() }),
      let treatment = kernel.probes.first?.treatment
    else { return .unpredictable }
    let rule = StepRule.of(treatment)
    switch outcome {
    case .emulated:
      return prediction(task, memory, unknown: 0, rule)
    case .stepping:
      guard let unknown = processor.execute(&task.registers, &memory, scratch: treatment.scratch),
        kernel.claimsStep(&task),
        case .step(.done) = kernel.notifyResume(
          &task, memory: &memory, handle: { _, _ in HandlerCall() })
      else {
        kernel.free(&task)
        return .unpredictable
      }
      return prediction(task, memory, unknown: unknown, rule)
    case .trampoline, .stray, .restartsWithoutProbe, .restartsUnprepared, .restartsWithoutUtask,
      .moved, .waitsForSlot, .restartsUnsteppable:
      return .unpredictable
    }
  }

  private func prediction(
    _ task: ProbedTask, _ memory: StepMemory, unknown: UInt64, _ rule: String
  ) -> StepOutcome {
    if memory.hasGuessed { return .unpredictable }
    return .predicted(
      StepPrediction(
        registers: task.registers, knownColumns: ~unknown,
        flagsColumn: rules.architecture == .x86_64 ? 9 : nil, written: memory.writes, rule: rule))
  }

  /// The hit of a site that is a call by now: what the call and the trampoline it goes to push, and
  /// the system call.
  private mutating func enterBySystemCall(
    _ task: inout ProbedTask, at address: Address, _ memory: inout StepMemory
  ) -> StepOutcome {
    let (ax, cx, sp, ip, r11) = (0, 2, 7, 8, 15)
    let bytes: UInt64 = rules.optimizedSites == .nop10 ? 10 : 5
    if rules.optimizedSites == .nop10 { task.registers[sp] &-= 128 }
    for word in [address &+ bytes, task.registers[cx], task.registers[r11], task.registers[ax]] {
      task.registers[sp] &-= 8
      _ = memory.writeWord(word, at: task.registers[sp], bytes: 8)
    }
    task.registers[ip] = kernel.spaces[task.space].optimizedTrampolinePlace ?? 0
    let outcome = kernel.handleUprobeSyscall(
      &task, memory: &memory, handle: { _, _ in HandlerCall() })
    guard outcome == .returned else { return .unpredictable }
    return prediction(task, memory, unknown: 0, StepRule.optimized)
  }

  /// The process's address space, with the file mapped so that the instruction is at the address.
  private mutating func space(
    of process: Int32, at address: Address
  ) throws(UprobeRefusal) -> Int {
    if let known = processes[process], known.address == address { return known.space }
    let page = address & ~0xfff
    let offset = address & 0xfff
    if kernel.spaces.count >= Self.spacesMax || kernel.probes.first?.offset != offset {
      kernel = Uprobes(rules: rules)
      kernel.files = [
        ProbedFile(inode: 1, sizeBytes: 0x1000, instructions: [offset: instruction])
      ]
      processes = [:]
    }
    var space = AddressSpace(isCompat: isCompat)
    // A page from where a call reaches the site.
    space.optimizedTrampolinePlace = page >= 0x10_0000 ? page - 0x10_0000 : page &+ 0x10_0000
    let number = kernel.add(space)
    kernel.mapped(KernelModel.Mapping(start: page, end: page &+ 0x1000, inode: 1), in: number)
    processes[process] = Process(space: number, address: address)
    if kernel.probes.isEmpty {
      _ = try kernel.register(
        Consumer(hasHandler: true, hasReturnHandler: false), inode: 1, offset: offset,
        referenceCounterOffset: referenceCounter)
    }
    return number
  }
}
