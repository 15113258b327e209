import ProbeEvents

/// How the registers of an event's samples go into a tape's columns.
struct RegisterColumns {
  /// The column of each sampled register; -1 for one that tapes do not have.
  let columns: [Int]
  private let layout: RegisterLayout

  /// The registers of a mask (`perf_event_attr.sample_regs_user`).
  init(mask: UInt64, _ layout: RegisterLayout) {
    self.layout = layout
    var columns: [Int] = []
    for number in 0..<UInt8(64) where mask >> UInt64(number) & 1 == 1 {
      columns.append(layout.perfNumbers.firstIndex(of: number) ?? -1)
    }
    self.columns = columns
  }

  /// Whether a column is among them.
  func has(_ column: Int) -> Bool { columns.contains(column) }

  /// Names of the tape's registers that are not sampled.
  var missing: [String] {
    layout.names.indices.filter { !has($0) }.map { layout.names[$0] }
  }

  /// Reads a sample's registers.
  func read(_ sample: PerfSample, _ record: PerfRecord, into file: inout RegisterFile) -> HitFlags {
    guard sample.abi != 0, sample.registers.count == columns.count * 8 else {
      return .registersMissing
    }
    for (index, column) in columns.enumerated() where column >= 0 {
      file[column] = record.bytes.number(
        at: sample.registers.lowerBound + index * 8, as: UInt64.self)
    }
    // 0x23 is __USER32_CS: 32-bit user code on a 64-bit kernel, which the ABI does not tell.
    let is32Bit = layout.codeSegment.map { file[$0] == 0x23 } ?? false
    return is32Bit || sample.abi == 1 ? .compat : []
  }

  /// The machine of a file that does not say it, by its registers; nil when none are sampled.
  static func architecture(ofMask mask: UInt64) -> Architecture? {
    guard mask != 0 else { return nil }
    // x86-64 refuses the segment registers 12 to 15 (arch/x86/kernel/perf_regs.c), and has r8 and
    // following up to 23; arm64 has 0 to 32.
    let segments: UInt64 = 0xF000
    return mask & segments == 0 && mask >> 24 == 0 ? .x86_64 : .aarch64
  }

  /// Whether a machine has all registers of a mask.
  static func fits(mask: UInt64, _ architecture: Architecture) -> Bool {
    switch architecture {
    case .x86_64: mask >> 24 == 0
    // 46 and following are the vector registers' granule and the like.
    case .aarch64: (mask & ~(1 << 46)) >> 33 == 0
    }
  }
}
