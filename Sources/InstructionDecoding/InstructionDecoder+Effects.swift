import CCapstone
import KernelModel
import ProbeEvents

extension InstructionDecoder {
  /// What the instruction that some bytes begin with may do; nil when they are none.
  ///
  /// A register that it names as an operand counts as written, however it is used: tables of which
  /// operands are written have had mistakes, and a register too many only checks less.
  public func effects(_ bytes: [UInt8]) -> InstructionEffects? {
    // The pointer is used inside the closure alone.
    unsafe disassembler.withDecoded(bytes) { instruction in
      var written = unsafe columns(written: instruction)
      // The details are there since the option is on.
      guard let detail = unsafe instruction.pointee.detail else { return nil }
      switch architecture {
      case .x86_64:
        let x86 = unsafe detail.pointee.x86
        // The tuple has eight operands, of which the first `op_count` are filled in.
        unsafe withUnsafeBytes(of: x86.operands) { operands in
          let all = unsafe operands.assumingMemoryBound(to: cs_x86_op.self)
          for index in 0..<min(Int(x86.op_count), all.count)
          where unsafe all[index].type == X86_OP_REG {
            note(unsafe UInt32(all[index].reg.rawValue), in: &written)
          }
        }
        // For instructions of the floating-point unit this has another meaning, which at worst
        // leaves the flags unchecked.
        if x86.eflags != 0 { written |= 1 << 9 }
      case .aarch64:
        let arm64 = unsafe detail.pointee.arm64
        // The tuple has eight operands, of which the first `op_count` are filled in.
        unsafe withUnsafeBytes(of: arm64.operands) { operands in
          let all = unsafe operands.assumingMemoryBound(to: cs_arm64_op.self)
          for index in 0..<min(Int(arm64.op_count), all.count)
          where unsafe all[index].type == ARM64_OP_REG {
            note(unsafe UInt32(all[index].reg.rawValue), in: &written)
          }
        }
      }
      return InstructionEffects(
        writtenColumns: written, changesFlow: unsafe changesFlow(instruction))
    }
  }

  /// The columns that the decoder's own table says are written, implied operands included.
  private func columns(written instruction: UnsafeMutablePointer<cs_insn>) -> UInt64 {
    // What the call fills: at most 64 registers each (`cs_regs`).
    let room = 64
    var read: [UInt16] = Array(repeating: 0, count: room)
    var write: [UInt16] = Array(repeating: 0, count: room)
    var readCount: UInt8 = 0
    var writeCount: UInt8 = 0
    let status = unsafe cs_regs_access(
      disassembler.handle, instruction, &read, &readCount, &write, &writeCount)
    var written: UInt64 = 0
    guard status == CS_ERR_OK else { return .max }
    for number in write.prefix(Int(writeCount)) { note(UInt32(number), in: &written) }
    return written
  }

  private func note(_ register: UInt32, in columns: inout UInt64) {
    // The name is a string in Capstone's tables, or nil.
    guard let name = unsafe cs_reg_name(disassembler.handle, register),
      let column = RegisterColumns.byName(architecture)[unsafe String(cString: name)]
    else { return }
    columns |= 1 << UInt64(column)
  }

  private func changesFlow(_ instruction: UnsafeMutablePointer<cs_insn>) -> Bool {
    [CS_GRP_JUMP, CS_GRP_CALL, CS_GRP_RET, CS_GRP_INT, CS_GRP_IRET].contains { group in
      // The instruction was decoded by this handle with details on.
      unsafe cs_insn_group(disassembler.handle, instruction, group.rawValue)
    }
  }
}
