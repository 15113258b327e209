internal import ProbeEvents

extension X86_64 {
  /// Whether a place can be probed, before anything is copied.
  ///
  /// Kernel: arch/x86/kernel/kprobes/core.c arch_prepare_kprobe(), can_probe()
  static func checkPlace(
    _ site: KprobeSite, _ instruction: X86Instruction, _ rules: KprobeRules
  ) throws(KprobeError) {
    if site.marks.contains(.alternatives) { throw .alternatives }
    if site.marks.contains(.middleOfInstruction) { throw .notAnInstruction }
    switch rules.trappingInstructions {
    case .probed, .maskingRefused: break
    case .refused: if instruction.isTrap { throw .notAnInstruction }
    }
  }

  /// The copy of an instruction.
  ///
  /// Kernel: arch/x86/kernel/kprobes/core.c __copy_instruction(), arch_copy_kprobe(),
  /// prepare_singlestep()
  static func prepared(
    _ instruction: X86Instruction, at address: Address, slot: Address, rules: KprobeRules,
    mayBoost: Bool
  ) throws(KprobeError) -> PreparedInstruction {
    if rules.trappingInstructions != .probed {
      if instruction.isForcedEmulation || instruction.masksExceptions {
        throw .instructionRejected
      }
      // Somebody else's breakpoint: what it hides is not known.
      if instruction.opcode == 0xcc { throw .instructionRejected }
    }
    if let displacement = instruction.relativeDisplacement {
      let target = address &+ UInt64(bitPattern: Int64(displacement))
      guard Int32(exactly: Int64(bitPattern: target &- slot)) != nil else {
        throw .instructionRejected
      }
    }
    var prepared = PreparedInstruction(
      opcode: UInt32(instruction.opcode), length: instruction.length, slot: slot,
      execution: .stepped, boost: .no, detour: nil)
    switch rules.stepping {
    case .hardware:
      prepared.execution = .fixedUp(X86FixUp(instruction))
      if instruction.canBoost { prepared.boost = .afterStep }
    case .breakpoint:
      if let emulation = try X86Emulation(instruction) { prepared.execution = .emulated(emulation) }
      guard instruction.length < slotSize else { throw .noRoom }
      if mayBoost && instruction.canBoost && instruction.length + 5 <= slotSize {
        prepared.boost = .yes
      }
    }
    return prepared
  }
}

extension X86Instruction {
  /// Whether it is INT or UD.
  ///
  /// Kernel: arch/x86/kernel/kprobes/core.c is_exception_insn()
  var isTrap: Bool {
    switch opcode {
    case 0x0f: [0xff, 0xb9, 0x0b].contains(secondOpcode)
    case 0xcc, 0xcd, 0xce, 0xf1: true
    default: false
    }
  }
}

extension X86Emulation {
  /// How an instruction is emulated; nil if it is stepped. Throws for one that can be neither.
  ///
  /// Kernel: arch/x86/kernel/kprobes/core.c prepare_emulation()
  init?(_ instruction: X86Instruction) throws(KprobeError) {
    let offset = instruction.immediate
    switch instruction.opcode {
    case 0xfa, 0xfb, 0x9c, 0x9d: self = .interruptFlag(instruction.opcode)
    case 0xc2, 0xc3, 0xca, 0xcb: self = .return
    case 0x9a, 0xea, 0xcc, 0xcf: throw .notEmulated
    case 0xe8: self = .call(offset)
    case 0xe9, 0xeb: self = .jump(offset)
    case 0x70...0x7f: self = .conditionalJump(instruction.opcode & 15, offset)
    case 0x0f:
      switch instruction.secondOpcode {
      case 0x80...0x8f: self = .conditionalJump(instruction.secondOpcode & 15, offset)
      case 0x01 where instruction.modRMRegister == 0 && instruction.modRMMode == 3:
        throw .notEmulated
      default: return nil
      }
    case 0xe0...0xe3:
      self = .loop(instruction.opcode & 3, counterBytes: instruction.addressBytes, offset)
    case 0xff:
      switch instruction.modRMRegister {
      case 2: self = .indirectCall(try Self.register(instruction))
      case 4: self = .indirectJump(try Self.register(instruction))
      case 3, 5: throw .notEmulated
      default: return nil
      }
    default: return nil
    }
  }

  /// The register an indirect call or jump goes to; through memory it is not supported.
  private static func register(_ instruction: X86Instruction) throws(KprobeError) -> Int {
    guard instruction.addressBytes == 8, instruction.modRMMode == 3 else { throw .notEmulated }
    return Int(instruction.modRM & 7) + (instruction.extendsRegister ? 8 : 0)
  }
}
