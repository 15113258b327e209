import ProbeEvents
import TapeFormat

/// What is put on a tape, in a form that compares.
struct Recording: Equatable {
  enum Item: Equatable {
    case hit(HitImage)
    case event(TimedSideEvent)
  }

  var header: TapeHeader
  var items: [Item] = []
  var trailer: TapeTrailer?

  /// A header for an architecture, with every field filled.
  static func header(_ architecture: Architecture, probes: Int = 3) -> TapeHeader {
    let kernel = KernelFacts(
      architecture: architecture, release: "6.18.44", version: "#1 SMP",
      facts: [KernelFact(.returnTrampoline, "syscall"), KernelFact(.pageSize, "4096")])
    let table = (0..<probes).map { (index: Int) -> Probe in
      Probe(
        path: "/usr/lib/libc.so.6", fileOffset: 0x9_7000 + UInt64(index),
        symbol: "symbol\(index)", symbolOffset: UInt64(index), wantsReturn: index % 2 == 0,
        buildID: [1, 2, UInt8(index)], originalBytes: [0x55, 0x48],
        referenceCounter: index == 1 ? 0x1_8000 : 0)
    }
    return TapeHeader(
      kernel: kernel, probes: table, command: ["git", "log", "—"], attachedProcesses: [7, -1],
      stackBytes: 64, startRealTime: 1_700_000_000_000_000_000, startTime: 12_345, wholeFrom: 99,
      writer: "tests 1",
      derivations: [TapeDerivation(command: "scrub", source: "a.tape", digest: [7, 0, 255])])
  }

  /// Writes the tape; `flushes` are the item indices before which the writer is flushed.
  func bytes(
    options: TapeWriterOptions = TapeWriterOptions(), flushes: Set<Int> = []
  ) throws(TapeError) -> [UInt8] {
    let output = MemoryTapeOutput()
    var writer = try TapeWriter(header: header, options: options, output: output)
    for (index, item) in items.enumerated() {
      if flushes.contains(index) { try writer.flush() }
      switch item {
      case .hit(let image): try writer.append(image.hit, window: image.window.span)
      case .event(let event): try writer.append(event)
      }
    }
    if let trailer { try writer.finish(trailer) } else { try writer.flush() }
    return output.bytes
  }
}

/// One hit with its window, in a form that compares.
struct HitImage: Equatable {
  var kind: HitKind
  var flags: HitFlags = []
  var cpu: UInt16 = 0
  var probe: UInt32 = 0
  var thread = ThreadIdentity(process: 100, thread: 100)
  var time: UInt64 = 0
  var function: Address = 0
  var registers: [UInt64]
  var window: [UInt64] = []

  var hit: Hit {
    var file = RegisterFile()
    for (column, value) in registers.enumerated() { file[column] = value }
    return Hit(
      kind: kind, flags: flags, cpu: cpu, probe: probe, thread: thread, time: time,
      function: function, registers: file)
  }
}

/// All that reading a tape gave.
struct Reading: Equatable {
  var header: TapeHeader
  var items: [Recording.Item] = []
  var blocks: [Int] = []
  var damage: [TapeDamage] = []
  var trailer: TapeTrailer?
  var skipped = 0

  init(_ bytes: [UInt8]) throws(TapeError) {
    var reader = try TapeReader(bytes: bytes)
    try self.init(&reader)
  }

  init(_ reader: inout TapeReader) throws(TapeError) {
    header = reader.header
    var columns = HitColumns()
    let layout = reader.header.kernel.architecture.registerLayout
    loop: while true {
      switch try reader.next(into: &columns, selecting: .all) {
      case .block:
        blocks.append(columns.count)
        items += Self.items(of: columns, layout)
      case .damage(let found): damage.append(found)
      case .trailer(let found): trailer = found
      case .end: break loop
      }
    }
    skipped = reader.skipped
  }

  var recording: Recording { Recording(header: header, items: items, trailer: trailer) }

  static func items(of columns: HitColumns, _ layout: RegisterLayout) -> [Recording.Item] {
    var items: [Recording.Item] = []
    var events = columns.sideEvents[...]
    for index in 0...columns.count {
      while let event = events.first, event.beforeHit == index {
        items.append(.event(event.event))
        events.removeFirst()
      }
      guard index < columns.count else { break }
      items.append(.hit(image(of: columns, index, layout)))
    }
    return items
  }

  /// The hit, taken from the special columns where these and the registers hold the same value.
  private static func image(
    of columns: HitColumns, _ index: Int, _ layout: RegisterLayout
  ) -> HitImage {
    var registers = Array(columns.registers[index * layout.count..<(index + 1) * layout.count])
    registers[layout.instructionPointer] = columns.instructionPointers[index]
    registers[layout.stackPointer] = columns.stackPointers[index]
    if let link = layout.linkRegister { registers[link] = columns.linkRegisters[index] }
    let window = Int(columns.windowStarts[index])..<Int(columns.windowStarts[index + 1])
    return HitImage(
      kind: columns.kinds[index], flags: columns.flags[index], cpu: columns.cpus[index],
      probe: columns.probes[index], thread: columns.threadTable[Int(columns.threads[index])],
      time: columns.times[index], function: columns.functions[index], registers: registers,
      window: Array(columns.windowWords[window]))
  }
}
