import KernelModel

extension X86Encoding {
  /// Splits the bytes of one instruction into its parts; nil when they cannot be one.
  ///
  /// - Parameter hasModRM: whether a ModRM byte follows the opcode, which only a table of all
  ///   opcodes knows.
  init?(splitting bytes: [UInt8], is64Bit: Bool, hasModRM: Bool) {
    var rest = bytes[...]
    let prefixes = Array(rest.prefix { Self.legacyPrefixes.contains($0) })
    rest = rest.dropFirst(prefixes.count)
    var rex: UInt8?
    if is64Bit, let byte = rest.first, 0x40...0x4f ~= byte {
      rex = byte
      rest = rest.dropFirst()
    }
    let vex = Array(rest.prefix(Self.vexLength(rest, is64Bit: is64Bit)))
    rest = rest.dropFirst(vex.count)
    let opcode = Array(rest.prefix(vex.isEmpty ? Self.opcodeLength(rest) : 1))
    rest = rest.dropFirst(opcode.count)
    guard !opcode.isEmpty else { return nil }

    var modRM: UInt8?
    var sib: UInt8?
    var displacement: ArraySlice<UInt8> = []
    if hasModRM {
      guard let byte = rest.popFirst() else { return nil }
      modRM = byte
      let (mod, rm) = (byte >> 6, byte & 7)
      let hasSIB = mod != 3 && rm == 4
      if hasSIB {
        guard let byte = rest.popFirst() else { return nil }
        sib = byte
      }
      let hasLongDisplacement = mod == 2 || (mod == 0 && (sib ?? byte) & 7 == 5)
      let size = mod == 1 ? 1 : hasLongDisplacement ? 4 : 0
      displacement = rest.prefix(size)
      guard displacement.count == size else { return nil }
      rest = rest.dropFirst(size)
    }
    let isWide = (rex ?? 0) & 8 != 0
    self.init(
      bytes: bytes, is64Bit: is64Bit, prefixes: prefixes, rex: rex, vex: vex, opcode: opcode,
      modRM: modRM, sib: sib, displacement: Self.signed(displacement),
      immediate: Self.signed(rest), immediateBytes: rest.count,
      operandBytes: isWide ? 8 : prefixes.contains(0x66) ? 2 : 4)
  }

  /// An opcode that is no instruction in 64-bit mode any more, without its operands; nil when the bytes
  /// have none. The kernel's decoder lets it pass, so that its table refuses it (live on 6.18).
  init?(lostOpcodeIn bytes: [UInt8]) {
    let prefixes = Array(bytes.prefix { Self.legacyPrefixes.contains($0) })
    guard let opcode = bytes.dropFirst(prefixes.count).first, Self.lostOpcodes.contains(opcode)
    else { return nil }
    self.init(bytes: prefixes + [opcode], prefixes: prefixes, opcode: [opcode])
  }

  private static let lostOpcodes: Set<UInt8> = [
    0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x60, 0x61, 0x82, 0x9a, 0xd4,
    0xd5, 0xd6, 0xea,
  ]

  private static let legacyPrefixes: Set<UInt8> = [
    0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3,
  ]

  /// Bytes of the VEX or EVEX prefix. In 32-bit mode the same bytes begin other instructions unless
  /// the next one has two bits set.
  private static func vexLength(_ bytes: ArraySlice<UInt8>, is64Bit: Bool) -> Int {
    guard let first = bytes.first, let second = bytes.dropFirst().first,
      is64Bit || second >= 0xc0
    else { return 0 }
    return switch first {
    case 0xc5: 2
    case 0xc4: 3
    case 0x62: 4
    default: 0
    }
  }

  private static func opcodeLength(_ bytes: ArraySlice<UInt8>) -> Int {
    guard bytes.first == 0x0f else { return 1 }
    let second = bytes.dropFirst().first
    return second == 0x38 || second == 0x3a ? 3 : 2
  }

  /// Little-endian bytes as a number with sign; those past the eighth are cut off.
  private static func signed(_ bytes: ArraySlice<UInt8>) -> Int64 {
    var value: Int64 = (bytes.prefix(8).last ?? 0) & 0x80 == 0 ? 0 : -1
    for byte in bytes.prefix(8).reversed() { value = value << 8 | Int64(byte) }
    return value
  }
}
