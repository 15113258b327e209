import ProbeEvents

/// One list as `witness.bpf.c` writes it into the ring: the raw data of a sample.
struct WitnessRecord {
  /// `enum moment` of the program.
  enum Moment: UInt32 {
    case hit = 0
    case beforeTrampoline = 1
    case afterTrampoline = 2
  }

  /// When it was read.
  var moment: Moment
  /// The kernel's own count.
  var depth: UInt32
  /// The user registers at a hit, to find the sample that belongs to it.
  var instructionPointer: Address
  var stackPointer: Address
  /// Oldest first.
  var instances: [WitnessedInstance]

  private static let headBytes = 32
  private static let instanceBytes = 32

  /// Reads a sample's raw data; nil for what our program cannot have written.
  init?(_ record: Span<UInt64>) {
    let start = PerfRecord.sampleRaw * 8
    let size = Int(PerfRecord.number(record, byte: start, size: 4))
    let base = start + 4
    // The data are padded to whole words.
    guard size >= Self.headBytes, base + size <= record.count * 8,
      let moment = Moment(rawValue: UInt32(PerfRecord.number(record, byte: base, size: 4)))
    else { return nil }
    let count = Int(PerfRecord.number(record, byte: base + 4, size: 4))
    guard count <= Witness.limit, Self.headBytes + count * Self.instanceBytes <= size else {
      return nil
    }
    self.moment = moment
    depth = UInt32(truncatingIfNeeded: PerfRecord.number(record, byte: base + 8, size: 8))
    instructionPointer = PerfRecord.number(record, byte: base + 16, size: 8)
    stackPointer = PerfRecord.number(record, byte: base + 24, size: 8)
    instances = (0..<count).reversed().map { place in
      let first = base + Self.headBytes + place * Self.instanceBytes
      return WitnessedInstance(
        function: PerfRecord.number(record, byte: first, size: 8),
        stackPointer: PerfRecord.number(record, byte: first + 8, size: 8),
        originalReturnAddress: PerfRecord.number(record, byte: first + 16, size: 8),
        isChained: PerfRecord.number(record, byte: first + 24, size: 8) != 0)
    }
  }
}
