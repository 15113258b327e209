internal import ProbeEvents

extension KprobeKernel {
  /// Looks at the instruction of a site and makes its copy.
  ///
  /// Kernel: arch_prepare_kprobe() of the architecture
  mutating func prepare(
    _ site: KprobeSite, hasPostHandler: Bool
  ) throws(KprobeError) -> PreparedInstruction {
    switch site.instruction {
    case .x86(let instruction):
      try X86_64.checkPlace(site, instruction, rules)
      guard let slot = slots.take() else { throw .noMemory }
      do {
        return try X86_64.prepared(
          instruction, at: site.address, slot: slot, rules: rules,
          mayBoost: !configuration.isPreemptible
            && (rules.stepping == .hardware || !hasPostHandler))
      } catch {
        slots.release(slot)
        throw error
      }
    case .arm(let word):
      var prepared = try AArch64.prepared(word, site, rules)
      if prepared.execution == .stepped {
        guard let slot = slots.take() else { throw .noMemory }
        prepared.slot = slot
      }
      return prepared
    }
  }
}

extension PreparedInstruction {
  /// The function tracer's call: nothing is copied.
  ///
  /// Kernel: arch/x86/kernel/kprobes/ftrace.c arch_prepare_kprobe_ftrace()
  static func ftrace(_ site: KprobeSite) -> PreparedInstruction {
    let length: UInt64 =
      switch site.instruction {
      case .x86: 5
      case .arm: 4
      }
    return PreparedInstruction(
      opcode: 0, length: length, slot: nil, execution: .ftrace, boost: .no, detour: nil)
  }
}
