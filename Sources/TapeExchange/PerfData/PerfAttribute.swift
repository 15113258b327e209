/// What is needed of a `struct perf_event_attr` (`include/uapi/linux/perf_event.h`).
struct PerfAttribute: Hashable {
  var type: UInt32
  var config: UInt64
  var samplePeriod: UInt64
  var sampleType: SampleFields
  var readFormat: UInt64
  var flags: Flags
  var config2: UInt64
  var branchSampleType: UInt64
  var registerMask: UInt64
  var stackBytes: UInt32
  var clockID: Int32

  /// `PERF_ATTR_SIZE_VER0`, the size of the first version; later fields are zero where missing.
  static let sizeMin = 64

  /// The bit field of the attribute.
  struct Flags: OptionSet, Hashable {
    let rawValue: UInt64
    static let inherit = Flags(rawValue: 1 << 1)
    static let frequency = Flags(rawValue: 1 << 10)
    static let enableOnExec = Flags(rawValue: 1 << 12)
    static let sampleIDAll = Flags(rawValue: 1 << 18)
    static let useClockID = Flags(rawValue: 1 << 25)
    static let writeBackward = Flags(rawValue: 1 << 27)
  }

  /// `PERF_TYPE_TRACEPOINT`.
  static let tracepoint: UInt32 = 2
  /// The first type number that the kernel gives out at run time (`PERF_TYPE_MAX`).
  static let firstDynamicType: UInt32 = 6

  /// Reads an attribute of `size` bytes at an index; nil when they are not all there, or too few.
  init?(_ bytes: [UInt8], at index: Int, size: Int) {
    guard size >= Self.sizeMin, index >= 0, size <= bytes.count - index else { return nil }
    func field<Number: FixedWidthInteger>(_ offset: Int, _ type: Number.Type) -> Number {
      offset + MemoryLayout<Number>.size <= size
        ? bytes.number(at: index + offset, as: type) : 0
    }
    self.type = field(0, UInt32.self)
    config = field(8, UInt64.self)
    samplePeriod = field(16, UInt64.self)
    sampleType = SampleFields(rawValue: field(24, UInt64.self))
    readFormat = field(32, UInt64.self)
    flags = Flags(rawValue: field(40, UInt64.self))
    config2 = field(64, UInt64.self)
    branchSampleType = field(72, UInt64.self)
    registerMask = field(80, UInt64.self)
    stackBytes = field(88, UInt32.self)
    clockID = field(92, Int32.self)
  }

  /// Whether every single event gives a sample.
  var samplesAll: Bool { !flags.contains(.frequency) && samplePeriod == 1 }
}

/// `PERF_SAMPLE_*`: the fields of a sample, in the order in which they come but for `identifier`,
/// which is first.
struct SampleFields: OptionSet, Hashable {
  let rawValue: UInt64
  static let ip = SampleFields(rawValue: 1 << 0)
  static let tid = SampleFields(rawValue: 1 << 1)
  static let time = SampleFields(rawValue: 1 << 2)
  static let addr = SampleFields(rawValue: 1 << 3)
  static let read = SampleFields(rawValue: 1 << 4)
  static let callchain = SampleFields(rawValue: 1 << 5)
  static let id = SampleFields(rawValue: 1 << 6)
  static let cpu = SampleFields(rawValue: 1 << 7)
  static let period = SampleFields(rawValue: 1 << 8)
  static let streamID = SampleFields(rawValue: 1 << 9)
  static let raw = SampleFields(rawValue: 1 << 10)
  static let branchStack = SampleFields(rawValue: 1 << 11)
  static let registers = SampleFields(rawValue: 1 << 12)
  static let stack = SampleFields(rawValue: 1 << 13)
  static let identifier = SampleFields(rawValue: 1 << 16)
}
