/// One record of a perf.data, with its header.
struct PerfRecord {
  /// `PERF_RECORD_*`.
  var kind: UInt32
  /// The header's `misc` bits.
  var misc: UInt16
  /// Where it is in the file; for one that was compressed, where the compressed block is.
  var offset: UInt64
  /// The whole record with its header of 8 bytes.
  var bytes: [UInt8]
  /// What follows a record of tracing data; empty for all others.
  var payload: [UInt8] = []

  /// `include/uapi/linux/perf_event.h`, and from 64 on `tools/lib/perf/include/perf/event.h`.
  enum Kind {
    static let mmap: UInt32 = 1
    static let lost: UInt32 = 2
    static let comm: UInt32 = 3
    static let exit: UInt32 = 4
    static let throttle: UInt32 = 5
    static let fork: UInt32 = 7
    static let sample: UInt32 = 9
    static let mmap2: UInt32 = 10
    static let lostSamples: UInt32 = 13
    /// Records from here on are perf's own, without the trailer that the kernel's have.
    static let firstOfPerf: UInt32 = 64
    static let attribute: UInt32 = 64
    static let tracingData: UInt32 = 66
    static let buildID: UInt32 = 67
    static let finishedRound: UInt32 = 68
    static let auxTrace: UInt32 = 71
    static let threadMap: UInt32 = 73
    static let feature: UInt32 = 80
    static let compressed: UInt32 = 81
    static let compressed2: UInt32 = 83
  }

  /// Where a file stops making sense, and why. What comes before is good.
  struct Cut: Hashable, CustomStringConvertible {
    var offset: UInt64
    var reason: Reason

    enum Reason: Hashable {
      case endsInsideRecord
      case endsTooEarly
      case recordSize(UInt16)
      case compression
      case tracingData
      case unfinished
    }

    var description: String {
      switch reason {
      case .endsInsideRecord: "the file ends inside the record at byte \(offset)"
      case .endsTooEarly:
        "the file ends at byte \(offset), before the records that its header claims"
      case .recordSize(let size): "a record of \(size) bytes at byte \(offset)"
      case .compression: "the compressed block at byte \(offset) does not decompress"
      case .tracingData: "the tracing data at byte \(offset) is too long"
      case .unfinished: "perf was killed while it recorded; the file ends at byte \(offset)"
      }
    }
  }
}
