internal import ProbeEvents

/// Columns of the x86-64 registers that probing touches, and the register numbers of instructions.
enum X86Register {
  static let ax = 0
  static let bx = 1
  static let cx = 2
  static let dx = 3
  static let si = 4
  static let di = 5
  static let bp = 6
  static let sp = 7
  static let ip = 8
  static let flags = 9
  static let r8 = 12
  static let r11 = 15

  /// The columns by register number, as instructions encode it: ax, cx, dx, bx, sp, bp, si, di and
  /// r8 to r15.
  static let columns = [ax, cx, dx, bx, sp, bp, si, di, r8, 13, 14, r11, 16, 17, 18, 19]

  static let carryFlag: UInt64 = 0x1
  static let parityFlag: UInt64 = 0x4
  static let zeroFlag: UInt64 = 0x40
  static let signFlag: UInt64 = 0x80
  static let trapFlag: UInt64 = 0x100
  static let overflowFlag: UInt64 = 0x800
}
