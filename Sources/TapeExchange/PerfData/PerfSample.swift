import ProbeEvents

/// The fields of one sample that a hit is made of.
struct PerfSample {
  /// The event's index among the attributes.
  var event: Int
  var thread: ThreadIdentity
  var ip: Address
  /// Whether the processor was in user mode: not so for a probe on the kernel.
  var isUser: Bool
  /// Where the raw data of the tracepoint is in the record.
  var raw: Range<Int>
  /// `PERF_SAMPLE_REGS_ABI_*`: 0 none, 1 32-bit, 2 64-bit.
  var abi: UInt64 = 0
  /// Where the registers are in the record.
  var registers: Range<Int> = 0..<0
  /// Where the sampled part of the stack is in the record.
  var stack: Range<Int> = 0..<0
  /// Where the kernel's callchain is in the record.
  var callchain: Range<Int> = 0..<0

  /// Reads a sample of an event; nil when it is malformed.
  init?(_ record: PerfRecord, event: Int, _ layout: RecordLayout) {
    let type = layout.attribute.sampleType
    let bytes = record.bytes
    guard let threadPlace = layout.sampleThread, let ipPlace = layout.sampleIP,
      layout.sampleRest <= bytes.count
    else { return nil }
    self.event = event
    thread = ThreadIdentity(
      process: bytes.number(at: threadPlace, as: Int32.self),
      thread: bytes.number(at: threadPlace + 4, as: Int32.self))
    ip = bytes.number(at: ipPlace, as: UInt64.self)
    // PERF_RECORD_MISC_CPUMODE_MASK is 7; 2 is user, 5 guest user.
    isUser = record.misc & 7 == 2 || record.misc & 7 == 5
    raw = 0..<0
    var cursor = ByteCursor(bytes, from: layout.sampleRest)
    if type.contains(.read), Self.skipRead(&cursor, layout.attribute.readFormat) == nil {
      return nil
    }
    if type.contains(.callchain) {
      guard let count = cursor.number(UInt64.self), count <= UInt64(cursor.left / 8),
        let range = cursor.take(Int(count) * 8)
      else { return nil }
      callchain = range
    }
    if type.contains(.raw) {
      guard let size = cursor.number(UInt32.self), let range = cursor.take(Int(size)) else {
        return nil
      }
      raw = range
    }
    if type.contains(.branchStack), Self.skipBranches(&cursor, layout.attribute) == nil {
      return nil
    }
    if type.contains(.registers) {
      guard let abi = cursor.number(UInt64.self) else { return nil }
      self.abi = abi
      let count = abi == 0 ? 0 : layout.attribute.registerMask.nonzeroBitCount
      guard let range = cursor.take(count * 8) else { return nil }
      registers = range
    }
    if type.contains(.stack) {
      guard let size = cursor.number(UInt64.self), size <= UInt64(cursor.left),
        let range = cursor.take(Int(size))
      else { return nil }
      if size > 0 {
        // Of the bytes that were reserved, so many were copied.
        guard let copied = cursor.number(UInt64.self) else { return nil }
        stack = range.lowerBound..<range.lowerBound + Int(min(copied, size))
      }
    }
  }

  /// A field of 8 bytes of the raw data; nil when it is not there.
  func rawNumber(_ offset: Int, _ record: PerfRecord) -> UInt64? {
    guard offset >= 0, offset + 8 <= raw.count else { return nil }
    return record.bytes.number(at: raw.lowerBound + offset, as: UInt64.self)
  }

  /// `perf_output_read()`.
  private static func skipRead(_ cursor: inout ByteCursor, _ format: UInt64) -> Void? {
    // PERF_FORMAT_*: time enabled 1, time running 2, id 4, group 8, lost 16.
    let perValue = 1 + (format & 4 != 0 ? 1 : 0) + (format & 16 != 0 ? 1 : 0)
    let times = (format & 1 != 0 ? 1 : 0) + (format & 2 != 0 ? 1 : 0)
    var words = times + perValue
    if format & 8 != 0 {
      guard let count = cursor.number(UInt64.self), count <= UInt64(cursor.left / 8) else {
        return nil
      }
      words = times + Int(count) * perValue
    }
    return cursor.take(words * 8).map { _ in () }
  }

  /// `perf_output_sample()`, the part for `PERF_SAMPLE_BRANCH_STACK`.
  private static func skipBranches(
    _ cursor: inout ByteCursor, _ attribute: PerfAttribute
  ) -> Void? {
    guard let count = cursor.number(UInt64.self), count <= UInt64(cursor.left / 24) else {
      return nil
    }
    // PERF_SAMPLE_BRANCH_HW_INDEX is bit 17, PERF_SAMPLE_BRANCH_COUNTERS bit 19.
    let index = attribute.branchSampleType & 1 << 17 != 0 ? 8 : 0
    let counters = attribute.branchSampleType & 1 << 19 != 0 ? Int(count) * 8 : 0
    return cursor.take(index + Int(count) * 24 + counters).map { _ in () }
  }
}
