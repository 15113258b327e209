import ProbeEvents

/// The layout of the records in a ring (`include/uapi/linux/perf_event.h`,
/// `kernel/events/core.c perf_output_sample()`), in words of 8 bytes, as our attributes make it.
enum PerfRecord {
  /// `PERF_RECORD_*`.
  enum Kind {
    static let lost: UInt32 = 2
    static let comm: UInt32 = 3
    static let exit: UInt32 = 4
    static let fork: UInt32 = 7
    static let sample: UInt32 = 9
    static let mmap2: UInt32 = 10
    static let lostSamples: UInt32 = 13
  }

  /// `PERF_RECORD_MISC_COMM_EXEC`, and of MMAP2 records `PERF_RECORD_MISC_MMAP_BUILD_ID`.
  static let miscExec: UInt64 = 1 << 13
  static let miscBuildID: UInt64 = 1 << 14

  /// Words of a sample before its raw data, where it has no callchain.
  static let sampleRaw = 6
  /// Words of the trailer that all other records end with: TID, TIME, CPU, IDENTIFIER.
  static let trailer = 4

  /// Where the callchain of a sample is that has one: its length comes before it, the raw data behind.
  static func callchain(_ record: Span<UInt64>) -> Range<Int> {
    let first = sampleRaw + 1
    return first..<first + Int(clamping: record[sampleRaw])
  }

  /// The record's type.
  static func kind(_ header: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: header) }
  /// The record's `misc` bits.
  static func misc(_ header: UInt64) -> UInt64 { header >> 32 & 0xffff }
  /// The record's length in words, with the header.
  static func wordCount(_ header: UInt64) -> Int { Int(header >> 48) / 8 }

  /// Index of the time, relative to the record's first word.
  static func timeIndex(_ header: UInt64) -> Int {
    kind(header) == Kind.sample ? 4 : wordCount(header) - 3
  }

  /// A pid and tid pair.
  static func thread(_ word: UInt64) -> ThreadIdentity {
    ThreadIdentity(
      process: Int32(truncatingIfNeeded: word), thread: Int32(truncatingIfNeeded: word >> 32))
  }

  /// A little-endian number of 1 to 8 bytes at a byte offset.
  static func number(_ record: Span<UInt64>, byte: Int, size: Int) -> UInt64 {
    let shift = UInt64(byte % 8) * 8
    var value = record[byte / 8] >> shift
    if shift != 0, byte % 8 + size > 8 { value |= record[byte / 8 + 1] << (64 - shift) }
    return size >= 8 ? value : value & ((1 << UInt64(size * 8)) - 1)
  }

  /// The zero-terminated text from a word on, at most up to another.
  static func text(_ record: Span<UInt64>, words: Range<Int>) -> String {
    var bytes: [UInt8] = []
    for index in words {
      for shift in stride(from: UInt64(0), to: 64, by: 8) {
        let byte = UInt8(truncatingIfNeeded: record[index] >> shift)
        if byte == 0 { return String(decoding: bytes, as: UTF8.self) }
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
