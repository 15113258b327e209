/// Where an event's fields are in its raw data, as its `format` file says.
struct EventFormat: Hashable {
  /// One field.
  struct Field: Hashable {
    var offset: Int
    var size: Int
  }

  /// The number that a perf event of type tracepoint is opened with.
  var id: UInt64
  /// Fields by name.
  var fields: [String: Field]

  /// Reads a `format` file; nil when it has no ID.
  init?(_ text: String) {
    var id: UInt64?
    fields = [:]
    for line in text.split(separator: "\n") {
      if line.hasPrefix("ID:") {
        id = UInt64(line.dropFirst(3).drop(while: { $0 == " " }))
      } else if let (name, field) = Self.field(line) {
        fields[name] = field
      }
    }
    guard let id else { return nil }
    self.id = id
  }

  /// One line: `field:TYPE NAME;  offset:N;  size:N;  signed:N;`, where NAME may end in `[N]`.
  private static func field(_ line: Substring) -> (String, Field)? {
    let parts = line.split(separator: ";").map { $0.drop { $0 == "\t" || $0 == " " } }
    guard parts.count >= 3, parts[0].hasPrefix("field:"), parts[1].hasPrefix("offset:"),
      parts[2].hasPrefix("size:"), let offset = Int(parts[1].dropFirst(7)),
      let size = Int(parts[2].dropFirst(5)), offset >= 0, size >= 0,
      let declarator = parts[0].split(separator: " ").last
    else { return nil }
    return (String(declarator.prefix { $0 != "[" }), Field(offset: offset, size: size))
  }
}
