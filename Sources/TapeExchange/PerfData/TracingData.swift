/// What the tracing data of a perf.data says: the formats of its tracepoints and the page size
/// (`tools/perf/util/trace-event-read.c` reads, `trace-event-info.c` writes it).
struct TracingData {
  /// One tracepoint's name and the places of the fields in its raw data.
  struct Format: Hashable {
    var system: String
    var name: String
    /// Offsets of the fields of 8 bytes.
    var offsets: [String: Int]
  }

  /// Formats by the number that a perf event has as its `config`.
  private(set) var formats: [UInt64: Format] = [:]
  /// Bytes of a page; 0 when the data ends before it.
  private(set) var pageSize: UInt32 = 0
  /// Whether all formats could be read.
  private(set) var isWhole = false

  private static let systemsMax: UInt32 = 1 << 16
  private static let eventsMax: UInt32 = 1 << 20

  /// Reads as much as there is and makes sense.
  init(_ bytes: [UInt8]) {
    var cursor = ByteCursor(bytes)
    isWhole = read(&cursor) != nil
  }

  private mutating func read(_ cursor: inout ByteCursor) -> Void? {
    guard let magic = cursor.take(10), Array(cursor.bytes[magic]) == Self.magic,
      cursor.zeroTerminated() != nil,
      // Little endian is 0, then the size of a long.
      cursor.number(UInt8.self) == 0, cursor.number(UInt8.self) != nil,
      let page = cursor.number(UInt32.self)
    else { return nil }
    pageSize = page
    for name in ["header_page", "header_event"] {
      guard cursor.zeroTerminated() == name, skipSized(&cursor) != nil else { return nil }
    }
    guard let plain = cursor.number(UInt32.self), plain <= Self.eventsMax else { return nil }
    for _ in 0..<plain { guard skipSized(&cursor) != nil else { return nil } }
    guard let systems = cursor.number(UInt32.self), systems <= Self.systemsMax else { return nil }
    for _ in 0..<systems {
      guard let system = cursor.zeroTerminated(), let events = cursor.number(UInt32.self),
        events <= Self.eventsMax
      else { return nil }
      for _ in 0..<events {
        guard let text = sized(&cursor) else { return nil }
        add(cursor.bytes.text(text), system: system)
      }
    }
    return ()
  }

  private static let magic: [UInt8] = [0x17, 0x08, 0x44] + Array("tracing".utf8)

  private func sized(_ cursor: inout ByteCursor) -> Range<Int>? {
    guard let size = cursor.number(UInt64.self), size <= UInt64(cursor.left) else { return nil }
    return cursor.take(Int(size))
  }

  private func skipSized(_ cursor: inout ByteCursor) -> Void? {
    sized(&cursor).map { _ in () }
  }

  /// A `format` file of tracefs.
  private mutating func add(_ text: String, system: String) {
    var id: UInt64?
    var format = Format(system: system, name: "", offsets: [:])
    for line in text.split(separator: "\n") {
      if line.hasPrefix("name: ") {
        format.name = String(line.dropFirst(6))
      } else if line.hasPrefix("ID: ") {
        id = UInt64(line.dropFirst(4))
      } else if let (name, offset) = Self.field(line) {
        format.offsets[name] = offset
      }
    }
    if let id { formats[id] = format }
  }

  /// One line: `field:TYPE NAME;  offset:N;  size:8;  signed:N;`.
  private static func field(_ line: Substring) -> (String, Int)? {
    let parts = line.split(separator: ";").map { $0.drop { $0 == "\t" || $0 == " " } }
    guard parts.count >= 3, parts[0].hasPrefix("field:"), parts[1].hasPrefix("offset:"),
      parts[2] == "size:8", let offset = Int(parts[1].dropFirst(7)), (0...65_536).contains(offset),
      let name = parts[0].split(separator: " ").last
    else { return nil }
    return (String(name), offset)
  }
}
