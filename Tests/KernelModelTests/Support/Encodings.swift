@testable import KernelModel

/// Instructions by their bytes, taken apart by hand.
extension X86Encoding {
  /// An instruction of one opcode byte, perhaps with operands.
  static func make(
    _ opcode: [UInt8], prefixes: [UInt8] = [], rex: UInt8? = nil, vex: [UInt8] = [],
    modRM: UInt8? = nil, sib: UInt8? = nil, displacement: [UInt8] = [], immediate: [UInt8] = [],
    operandBytes: Int = 4, is64Bit: Bool = true
  ) -> X86Encoding {
    func signed(_ bytes: [UInt8]) -> Int64 {
      guard let last = bytes.last else { return 0 }
      var value: Int64 = last & 0x80 == 0 ? 0 : -1
      for byte in bytes.reversed() { value = value << 8 | Int64(byte) }
      return value
    }
    let head = prefixes + (rex.map { [$0] } ?? []) + vex + opcode
    let operands = (modRM.map { [$0] } ?? []) + (sib.map { [$0] } ?? []) + displacement + immediate
    return X86Encoding(
      bytes: head + operands,
      is64Bit: is64Bit, prefixes: prefixes, rex: rex, vex: vex, opcode: opcode, modRM: modRM,
      sib: sib, displacement: signed(displacement), immediate: signed(immediate),
      immediateBytes: immediate.count, operandBytes: operandBytes)
  }

  /// `push %rbp`.
  static let push = make([0x55])
  /// `ret`.
  static let `return` = make([0xc3])
  /// `mov %esp,%ebp`, which is stepped.
  static let move = make([0x89], modRM: 0xe5)
  /// `nopl 0x0(%rax,%rax,1)`, five bytes.
  static let nop5 = make([0x0f, 0x1f], modRM: 0x44, sib: 0, displacement: [0])
  /// `cs nopw 0x0(%rax,%rax,1)`, ten bytes.
  static let nop10 = make(
    [0x0f, 0x1f], prefixes: [0x66, 0x2e], modRM: 0x84, sib: 0, displacement: [0, 0, 0, 0],
    operandBytes: 2)
}

/// Memory with some words in it. Bytes that are not listed cannot be read, and cannot be written
/// where it is closed.
struct TestMemory: UserMemory {
  var bytes: [UInt64: UInt8] = [:]
  var isClosed = false

  init(_ words: [UInt64: UInt64] = [:]) {
    for (address, word) in words { _ = writeWord(word, at: address, bytes: 8) }
  }

  mutating func readWord(at address: UInt64, bytes count: Int) -> UInt64? {
    var word: UInt64 = 0
    for index in (0..<UInt64(count)).reversed() {
      guard let byte = bytes[address &+ index] else { return nil }
      word = word << 8 | UInt64(byte)
    }
    return word
  }

  mutating func writeWord(_ value: UInt64, at address: UInt64, bytes count: Int) -> Bool {
    guard !isClosed else { return false }
    for index in 0..<UInt64(count) {
      bytes[address &+ index] = UInt8(truncatingIfNeeded: value >> (8 * index))
    }
    return true
  }
}
