import CPerfEvent
import Foundation

/// A consumer of a uprobe made by the uprobe PMU, without the recorder: gone with the value.
final class PerfProbe {
  /// The kernel's refusal.
  struct Refused: Error, Equatable {
    var errno: Int32
  }

  private let descriptor: Int32

  /// A probe at an offset of a file.
  ///
  /// - Parameters:
  ///   - referenceCounter: the offset of its reference counter in the file; 0 for none.
  ///   - process: the only process it wants breakpoints in; nil for all.
  init(
    _ path: String, _ offset: UInt64, referenceCounter: UInt64 = 0, process: Int32? = nil
  ) throws {
    let kind = try String(
      contentsOfFile: "/sys/bus/event_source/devices/uprobe/type", encoding: .utf8)
    var attributes = perf_event_attr()
    attributes.type = UInt32(kind.filter(\.isNumber)) ?? 0
    attributes.size = UInt32(MemoryLayout<perf_event_attr>.size)
    attributes.config = referenceCounter << 32
    attributes.config2 = offset
    // The kernel copies the path during the call.
    let result = unsafe path.withCString { pointer in
      attributes.config1 = UInt64(UInt(bitPattern: pointer))
      return unsafe cperf_open(&attributes, process ?? -1, process == nil ? 0 : -1)
    }
    guard result >= 0 else { throw Refused(errno: -result) }
    descriptor = result
  }

  deinit { close(descriptor) }

  /// The number by which the kernel refuses a probe; 0 when it does not.
  static func refusal(
    _ path: String, _ offset: UInt64, referenceCounter: UInt64 = 0
  ) throws -> Int32 {
    do {
      _ = try PerfProbe(path, offset, referenceCounter: referenceCounter)
      return 0
    } catch let refused as Refused {
      return refused.errno
    }
  }
}
