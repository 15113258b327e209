import KernelModel
import ProbeEvents

/// A small kernel to probe, and one processor that executes in it.
struct KprobeFixture {
  static let base: Address = 0xffff_ffff_8100_0000
  static let fork: Address = base + 0x1000
  static let read: Address = base + 0x2000
  static let write: Address = base + 0x3000
  static let slots: Address = 0xffff_ffff_c000_0000
  static let moduleCore: Range<Address> = 0xffff_ffff_a000_0000..<0xffff_ffff_a000_1000
  static let moduleInit: Range<Address> = 0xffff_ffff_a000_2000..<0xffff_ffff_a000_3000

  static func text() -> KernelText {
    var text = KernelText(core: base..<base + 0x10_0000)
    text.symbols = [
      KernelSymbol("_do_fork", at: fork, size: 0x100),
      KernelSymbol("read", at: read, size: 0x100),
      KernelSymbol("write", at: write, size: 0x100),
      KernelSymbol("module_work", at: moduleCore.lowerBound, size: 0x100),
      KernelSymbol("module_setup", at: moduleInit.lowerBound, size: 0x100),
    ]
    text.modules = [KernelModule("work", core: moduleCore, initText: moduleInit)]
    return text
  }

  var kernel: KprobeKernel
  var processor = KprobeProcessor()
  /// What the handlers were called for: `pre 0`, `post 1`.
  var log: [String] = []
  /// What handlers return, by number of the probe; others return 0.
  var results: [Int: Int32] = [:]

  init(
    _ epoch: KprobeEpoch = .k15, _ architecture: Architecture = .x86_64,
    text: KernelText = text(),
    _ change: (inout KprobeRules, inout KprobeConfiguration) -> Void = {
      _, _ in
    }
  ) {
    var rules = KprobeRules(epoch: epoch, architecture: architecture)
    var configuration = KprobeConfiguration()
    change(&rules, &configuration)
    kernel = KprobeKernel(rules: rules, text: text, configuration: configuration)
  }

  /// A registered probe.
  mutating func probe(
    _ address: Address, _ handlers: KprobeHandlers = [.pre], flags: KprobeFlags = []
  ) throws -> KprobeID {
    let id = kernel.declare(Kprobe(address: address, handlers: handlers, flags: flags))
    try kernel.register(id)
    return id
  }

  /// Registers as a breakpoint at an address leaves them.
  func trapped(at address: Address, flags: UInt64 = 0) -> KprobeRegisters {
    let length: Address = kernel.rules.architecture == .x86_64 ? 1 : 0
    return KprobeRegisters(
      instructionPointer: address + length, stackPointer: 0x9000, stackWord: 0x77, flags: flags)
  }

  /// Meets the breakpoint at an address.
  mutating func hit(_ address: Address, flags: UInt64 = 0) -> KprobeOutcome {
    kernel.breakpoint(trapped(at: address, flags: flags), on: &processor)
  }

  /// Ends the step of a copy of the given length.
  mutating func endStep(_ registers: KprobeRegisters, length: Address) -> KprobeOutcome {
    var registers = registers
    registers.instructionPointer += length
    if kernel.rules.architecture == .x86_64 && kernel.rules.stepping == .breakpoint {
      registers.instructionPointer += 1
      return kernel.breakpoint(registers, on: &processor)
    }
    return kernel.stepTrap(registers, on: &processor)
  }

  /// Lets handlers run until none is called any more.
  mutating func answer(_ outcome: KprobeOutcome) -> KprobeOutcome {
    var outcome = outcome
    while case .call(let call, let registers) = outcome {
      log.append("\(call.handler) \(call.probe.rawValue)")
      outcome = kernel.handlerReturned(
        results[call.probe.rawValue] ?? 0, registers, on: &processor)
    }
    return outcome
  }

  /// Hits a probe and executes its plain instruction, to the end; nil if the kernel did not take
  /// it.
  mutating func run(_ address: Address, flags: UInt64 = 0) -> KprobeRegisters? {
    let length: Address = kernel.rules.architecture == .x86_64 ? 1 : 4
    guard case .resume(let stepping) = answer(hit(address, flags: flags)) else { return nil }
    guard case .resume(let registers) = answer(endStep(stepping, length: length)) else {
      return nil
    }
    return registers
  }

  func missed(_ id: KprobeID) -> UInt64? { kernel.table[id]?.missed }

  func entry(_ address: Address) -> KprobeEntry? {
    kernel.table.lookUp(address).flatMap { kernel.table[$0] }
  }
}

extension KprobeOutcome {
  /// The registers the processor goes on with.
  var resumed: KprobeRegisters? {
    if case .resume(let registers) = self { registers } else { nil }
  }
  var passedOn: KprobeRegisters? {
    if case .passOn(let registers) = self { registers } else { nil }
  }
  var called: KprobeCall? {
    if case .call(let call, _) = self { call } else { nil }
  }
}

/// What an expression throws; nil if nothing.
func refusal(_ body: () throws(KprobeError) -> Void) -> KprobeError? {
  do {
    try body()
    return nil
  } catch {
    return error
  }
}
