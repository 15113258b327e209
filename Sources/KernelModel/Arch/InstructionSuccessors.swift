extension ProbedInstruction {
  /// Length in bytes; nil for bytes that are no instruction.
  public var length: Int? {
    switch self {
    case .x86(let instruction): instruction.length
    case .arm64: 4
    case .undecodable: nil
    }
  }

  /// How far from its own address the instruction may go on, as far as its bytes say: behind itself,
  /// and where a relative jump or call goes.
  public var successors: [Int64] {
    switch self {
    case .x86(let instruction): instruction.successors
    case .arm64(let instruction): instruction.successors
    case .undecodable: []
    }
  }
}

extension X86Encoding {
  fileprivate var successors: [Int64] {
    let behind = Int64(length)
    let isRelative =
      switch opcode1 {
      case 0x70...0x7f, 0xe0...0xe3, 0xe8, 0xe9, 0xeb: opcode.count == 1 && vex.isEmpty
      case 0x0f: opcode.count == 2 && 0x80...0x8f ~= opcode2
      default: false
      }
    guard isRelative, immediate != 0 else { return [behind] }
    let target = behind &+ immediate
    // Behind a jump that is always taken is nothing that it goes on to.
    return opcode1 == 0xe9 || opcode1 == 0xeb || opcode1 == 0xe8 ? [target] : [behind, target]
  }
}

extension ARM64Instruction {
  fileprivate var successors: [Int64] {
    func distance(_ low: UInt32, _ bits: UInt32) -> Int64 {
      Int64(bitPattern: offset(from: low, bits: bits))
    }
    if isBranch { return [distance(0, 26)] }
    if isConditionalBranch || isCompareBranch { return [4, distance(5, 19)] }
    if isTestBranch { return [4, distance(5, 14)] }
    return isBranchRegister ? [] : [4]
  }
}
