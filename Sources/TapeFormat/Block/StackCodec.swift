import ProbeEvents

/// The stacks of a block's hits: the frames as a tree, each below its caller, and for each hit which
/// stack it has.
enum StackCodec {
  private typealias Stream = Streams.Stacks

  /// Codes of ``Streams/Stacks/references``.
  private enum Code {
    static let none: UInt64 = 0
    static let new: UInt64 = 1
    /// The stack that was new last; older ones have higher codes.
    static let latest: UInt64 = 2
  }

  /// The streams of stacks whose frames are in the order in which hits first need them.
  static func encode(_ stacks: [StackReference], _ table: StackTable) -> StreamBuffers {
    var buffers = StreamBuffers(count: Stream.allCases.count)
    for file in table.files {
      StackFileCodec.encode(file, into: &buffers.streams[Stream.files.rawValue])
    }
    var latest = [UInt64](repeating: 0, count: table.files.count + 1)
    for (place, node) in table.nodes.enumerated() {
      let distance = node.caller == 0 ? 0 : UInt64(place + 1) - UInt64(node.caller)
      buffers.streams[Stream.callers.rawValue].appendVarint(distance)
      if distance == 0 { buffers.streams[Stream.endings.rawValue].append(node.ending.rawValue) }
      let file = node.frame.file == StackFrame.noFile ? 0 : Int(node.frame.file) + 1
      buffers.streams[Stream.places.rawValue].appendVarint(
        UInt64(file) << 1 | (node.frame.isExact ? 1 : 0))
      buffers.streams[Stream.offsets.rawValue].appendVarint(
        Zigzag.encode(node.frame.offset &- latest[file]))
      latest[file] = node.frame.offset
    }
    encodeReferences(stacks, nodes: table.nodes.count, &buffers)
    return buffers
  }

  private static func encodeReferences(
    _ stacks: [StackReference], nodes: Int, _ buffers: inout StreamBuffers
  ) {
    // The number of each stack in the order of first use, by the frame that names it.
    var numbers = [UInt32](repeating: .max, count: nodes)
    var count: UInt32 = 0
    var latest: UInt64 = 0
    for stack in stacks {
      guard stack > 0 else {
        buffers.streams[Stream.references.rawValue].appendVarint(Code.none)
        continue
      }
      let number = numbers[Int(stack) - 1]
      guard number == .max else {
        buffers.streams[Stream.references.rawValue].appendVarint(
          UInt64(count - 1 - number) + Code.latest)
        continue
      }
      numbers[Int(stack) - 1] = count
      count += 1
      buffers.streams[Stream.references.rawValue].appendVarint(Code.new)
      buffers.streams[Stream.stacks.rawValue].appendVarint(Zigzag.encode(UInt64(stack) &- latest))
      latest = UInt64(stack)
    }
  }

  static func decode(
    _ content: [UInt8], hits: Int, into columns: inout HitColumns
  ) throws(TapeDamage.Reason) {
    var cursors = try Streams.split(content, count: Stream.allCases.count)
    let bytes = content.span
    let files = try files(content, cursors[Stream.files.rawValue])
    cursors[Stream.files.rawValue].offset = cursors[Stream.files.rawValue].end
    let nodes = try nodes(bytes, &cursors, fileCount: files.count)
    guard let table = StackTable(files: files, nodes: nodes) else { throw .valueOutOfRange }
    columns.stackTable = table
    var known: [StackReference] = []
    var latest: UInt64 = 0
    columns.stacks.reserveCapacity(hits)
    for _ in 0..<hits {
      let code = try cursors[Stream.references.rawValue].varint(bytes)
      switch code {
      case Code.none: columns.stacks.append(0)
      case Code.new:
        latest = try cursors[Stream.stacks.rawValue].miss(bytes, latest)
        guard latest > 0, latest <= UInt64(nodes.count) else { throw .valueOutOfRange }
        known.append(StackReference(latest))
        columns.stacks.append(StackReference(latest))
      default:
        let age = code - Code.latest
        guard age < UInt64(known.count) else { throw .valueOutOfRange }
        columns.stacks.append(known[known.count - 1 - Int(age)])
      }
    }
    for cursor in cursors { try cursor.finish() }
  }

  private static func files(
    _ content: [UInt8], _ cursor: Cursor
  ) throws(TapeDamage.Reason) -> [StackFile] {
    var reader = FieldReader(content, cursor.offset..<cursor.end)
    var files: [StackFile] = []
    while !reader.isAtEnd {
      guard files.count < TapeLimits.stackFilesPerBlock else { throw .overLimit }
      files.append(try StackFileCodec.decode(&reader))
    }
    return files
  }

  private static func nodes(
    _ bytes: Span<UInt8>, _ cursors: inout [Cursor], fileCount: Int
  ) throws(TapeDamage.Reason) -> [StackTable.Node] {
    var nodes: [StackTable.Node] = []
    /// Of each node, the frames from it outwards.
    var depths: [UInt16] = []
    var latest = [UInt64](repeating: 0, count: fileCount + 1)
    while cursors[Stream.callers.rawValue].remaining > 0 {
      guard nodes.count < TapeLimits.stackFramesPerBlock else { throw .overLimit }
      let distance = try cursors[Stream.callers.rawValue].varint(bytes)
      guard distance <= UInt64(nodes.count) else { throw .valueOutOfRange }
      var ending = StackEnding.complete
      if distance == 0 {
        let code = try cursors[Stream.endings.rawValue].byte(bytes)
        guard let known = StackEnding(rawValue: code) else { throw .valueOutOfRange }
        ending = known
      }
      let place = try cursors[Stream.places.rawValue].varint(bytes)
      guard place >> 1 <= UInt64(fileCount) else { throw .valueOutOfRange }
      let file = Int(place >> 1)
      latest[file] = try cursors[Stream.offsets.rawValue].miss(bytes, latest[file])
      let frame = StackFrame(
        file: file == 0 ? StackFrame.noFile : UInt32(file - 1), offset: latest[file],
        isExact: place & 1 != 0)
      let caller = distance == 0 ? 0 : StackReference(UInt64(nodes.count) + 1 - distance)
      let depth = caller == 0 ? 1 : depths[Int(caller) - 1] + 1
      guard Int(depth) <= TapeLimits.framesPerStack else { throw .overLimit }
      depths.append(depth)
      nodes.append(StackTable.Node(caller: caller, ending: ending, frame: frame))
    }
    return nodes
  }
}
