import ProbeEvents

/// A frame in its process.
struct ExportedFrame {
  var named: NamedFrame
  /// The mappings of the process.
  var map: ProcessMap

  /// The address that the frame had; nil when no mapping that is known has its place.
  var address: Address? {
    guard let file = named.file else { return named.frame.offset }
    return map.address(of: file, offset: named.frame.offset)
  }

  /// The function, or else the file, without folders, or the kernel's name in brackets.
  var name: String {
    if let function = named.function { return function }
    guard let path = named.file?.path, let base = path.split(separator: "/").last else {
      return "[unknown]"
    }
    return base.hasPrefix("[") ? String(base) : "[\(base)]"
  }
}

/// User stacks in the text of a format, each made once for a block and state of mappings.
struct StackTexts {
  private struct Key: Hashable {
    var mappings: UInt32
    var stack: StackReference
  }

  private var texts: [Key: String] = [:]
  private var table: UInt64 = 0
  /// Bytes of the texts that are kept.
  private(set) var bytes = 0

  /// Texts that are kept, and bytes of them; beyond either, all are forgotten at once. Of a stack
  /// with many frames, each shorter stack can have a text of its own.
  static let textsMax = 1 << 14
  static let bytesMax = 1 << 24

  /// The text of a hit's stack, made of its frames, innermost first, and why there are no more; nil
  /// when the tape has no stack for it.
  mutating func text(
    _ hit: FollowedHit, _ columns: HitColumns,
    _ make: ([ExportedFrame], StackEnding) -> String
  ) -> String? {
    guard let mappings = hit.mappings else { return nil }
    if table != columns.stackTable.identity { forget() }
    table = columns.stackTable.identity
    let key = Key(mappings: mappings.number, stack: columns.stacks[hit.place])
    if let known = texts[key] { return known }
    guard let stack = columns.frames(ofHit: hit.place) else { return nil }
    let text = make(
      stack.frames.map { ExportedFrame(named: $0, map: mappings.map) }, stack.ending)
    let size = text.utf8.count
    if texts.count >= Self.textsMax || size > Self.bytesMax - bytes { forget() }
    guard size <= Self.bytesMax else { return text }
    texts[key] = text
    bytes += size
    return text
  }

  private mutating func forget() {
    texts.removeAll(keepingCapacity: true)
    bytes = 0
  }
}
