/// The features of a perf.data's header that a tape can use (`tools/perf/util/header.c`). Those that
/// do not decode are left out.
struct PerfFeatures {
  var release = ""
  var machine = ""
  var perfVersion = ""
  var onlineCPUs: UInt32 = 0
  var commandLine: [String] = []
  /// Names of events by id.
  var eventNames: [UInt64: String] = [:]
  /// Names of the kernel's event sources by type.
  var sources: [UInt32: String] = [:]
  /// Real time and the events' clock at one moment, nanoseconds.
  var clocks: (real: UInt64, events: UInt64)?
  /// Build ids by path.
  var buildIDs: [String: [UInt8]] = [:]
  var tracing: TracingData?

  /// Bytes of one feature that are read at most.
  static let bytesMax: UInt64 = 1 << 26

  /// `HEADER_*` of `tools/perf/util/header.h`.
  private enum Bit {
    static let tracingData = 1
    static let buildID = 2
    static let release = 4
    static let version = 5
    static let machine = 6
    static let cpus = 7
    static let commandLine = 11
    static let eventDescriptions = 12
    static let sources = 16
    static let clockData = 29
  }

  /// Takes a feature's bytes in.
  mutating func add(bit: Int, _ bytes: [UInt8]) {
    var cursor = ByteCursor(bytes)
    switch bit {
    case Bit.tracingData: tracing = TracingData(bytes)
    case Bit.buildID: addBuildIDs(bytes)
    case Bit.release: release = Self.text(&cursor) ?? ""
    case Bit.version: perfVersion = Self.text(&cursor) ?? ""
    case Bit.machine: machine = Self.text(&cursor) ?? ""
    case Bit.cpus:
      // Available first, then online.
      onlineCPUs = cursor.take(4).flatMap { _ in cursor.number(UInt32.self) } ?? 0
    case Bit.commandLine: commandLine = Self.texts(&cursor)
    case Bit.eventDescriptions: addEventNames(&cursor)
    case Bit.sources: addSources(&cursor)
    case Bit.clockData:
      guard cursor.take(8) != nil, let real = cursor.number(UInt64.self),
        let events = cursor.number(UInt64.self)
      else { return }
      clocks = (real, events)
    default: break
    }
  }

  /// Takes in the records that the build-id feature consists of.
  private mutating func addBuildIDs(_ bytes: [UInt8]) {
    var index = 0
    while index + 8 <= bytes.count {
      let size = Int(bytes.number(at: index + 6, as: UInt16.self))
      guard size >= 8, index + size <= bytes.count else { return }
      addBuildID(Array(bytes[index..<index + size]))
      index += size
    }
  }

  /// Takes in one build-id record: a process, 24 bytes with the id, a path.
  mutating func addBuildID(_ record: [UInt8]) {
    guard record.count > 36 else { return }
    // The length is known when this bit is set; the first versions of perf knew 20 bytes only.
    let hasSize = record.number(at: 4, as: UInt16.self) & 1 << 15 != 0
    let size = hasSize ? min(Int(record[32]), 20) : 20
    let path = record.text(36..<record.count)
    if path.hasPrefix("/") { buildIDs[path] = Array(record[12..<12 + size]) }
  }

  private mutating func addEventNames(_ cursor: inout ByteCursor) {
    guard let count = cursor.number(UInt32.self), let size = cursor.number(UInt32.self) else {
      return
    }
    for _ in 0..<count {
      guard cursor.take(Int(size)) != nil, let ids = cursor.number(UInt32.self),
        let name = Self.text(&cursor), Int(ids) <= cursor.left / 8
      else { return }
      for _ in 0..<ids { if let id = cursor.number(UInt64.self) { eventNames[id] = name } }
    }
  }

  private mutating func addSources(_ cursor: inout ByteCursor) {
    guard let count = cursor.number(UInt32.self) else { return }
    for _ in 0..<count {
      guard let type = cursor.number(UInt32.self), let name = Self.text(&cursor) else { return }
      sources[type] = name
    }
  }

  private static func text(_ cursor: inout ByteCursor) -> String? {
    guard let size = cursor.number(UInt32.self) else { return nil }
    return cursor.text(Int(size))
  }

  private static func texts(_ cursor: inout ByteCursor) -> [String] {
    guard let count = cursor.number(UInt32.self) else { return [] }
    var list: [String] = []
    for _ in 0..<count {
      guard let text = text(&cursor) else { break }
      list.append(text)
    }
    return list
  }
}
