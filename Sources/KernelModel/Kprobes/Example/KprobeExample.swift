public import ProbeEvents

/// The kernel's sample module: one probe at the function that makes tasks, whose handlers say what
/// they see. What it says is in this project's words; the values are those the module prints.
///
/// Kernel: samples/kprobes/kprobe_example.c
public struct KprobeExample: Sendable, Hashable {
  /// What was said so far.
  public private(set) var lines: [Line] = []
  /// The probe, once the module was loaded.
  public private(set) var probe: KprobeID?
  /// The function it probes: `_do_fork` until 5.9, `kernel_clone` since.
  public let symbol: String

  /// Something the module says.
  public enum Line: Sendable, Hashable {
    /// The probe was refused, with an error number.
    case refused(Int32)
    /// The probe is in place.
    case planted(Address)
    /// The pre-handler: where the probe is, the instruction pointer and the flags it sees.
    case before(Address, instructionPointer: Address, flags: UInt64)
    /// The post-handler: where the probe is, and the flags it sees.
    case after(Address, flags: UInt64)
    /// The fault handler: where the probe is, and the number of the trap.
    case fault(Address, trap: Int32)
    /// The probe is gone. An address of nil: it was not there.
    case removed(Address?)
  }

  /// A module that is not loaded.
  public init(symbol: String = "_do_fork") {
    self.symbol = symbol
  }

  /// Loads the module.
  ///
  /// Kernel: samples/kprobes/kprobe_example.c kprobe_init()
  public mutating func load(into kernel: inout KprobeKernel) throws(KprobeError) {
    var handlers: KprobeHandlers = [.pre, .post]
    // The field is gone together with the callers.
    if kernel.rules.handlerFault == .asksFaultHandler { handlers.insert(.fault) }
    let probe = kernel.declare(Kprobe(symbol: symbol, handlers: handlers))
    do {
      try kernel.register(probe)
    } catch {
      lines.append(.refused(-error.errno))
      throw error
    }
    self.probe = probe
    lines.append(.planted(kernel.table[probe]?.address ?? 0))
  }

  /// Unloads the module.
  ///
  /// Kernel: samples/kprobes/kprobe_example.c kprobe_exit()
  public mutating func unload(from kernel: inout KprobeKernel) {
    guard let probe else { return }
    kernel.unregister(probe)
    lines.append(.removed(kernel.table[probe]?.address))
  }

  /// Lets the module's handlers run as long as they are called; what comes of it in the end.
  /// Handlers of other probes are answered with zero.
  ///
  /// Kernel: samples/kprobes/kprobe_example.c handler_pre(), handler_post(), handler_fault()
  public mutating func answer(
    _ outcome: KprobeOutcome, in kernel: inout KprobeKernel, on processor: inout KprobeProcessor
  ) -> KprobeOutcome {
    var outcome = outcome
    while case .call(let call, let registers) = outcome {
      if call.probe == probe { say(call, registers, kernel.table[call.probe]?.address ?? 0) }
      outcome = kernel.handlerReturned(0, registers, on: &processor)
    }
    return outcome
  }

  private mutating func say(
    _ call: KprobeCall, _ registers: KprobeRegisters, _ address: Address
  ) {
    switch call.handler {
    case .pre, .optimizedPre, .ftracePre:
      lines.append(
        .before(
          address, instructionPointer: registers.instructionPointer, flags: registers.flags))
    case .post, .ftracePost: lines.append(.after(address, flags: registers.flags))
    case .fault: lines.append(.fault(address, trap: call.trap))
    case .breakpoint: break
    }
  }
}
