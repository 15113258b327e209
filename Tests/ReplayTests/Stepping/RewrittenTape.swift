import Foundation
import ProbeEvents
import TapeFormat

/// The contents of a recorded tape, to be written again with something changed.
struct RewrittenTape {
  enum Item {
    case hit(Hit, window: [UInt64])
    case side(TimedSideEvent)
  }

  struct Incomplete: Error {}

  var header: TapeHeader
  var items: [Item] = []
  private var targetExit = TargetExit.unknown

  /// A tape without hits.
  init(header: TapeHeader) {
    self.header = header
    targetExit = .exited(0)
  }

  /// One of the repository's recordings.
  init(recording name: String) throws {
    let top = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let path = top.appending(path: "recordings/x86_64/6.18.44/\(name).tape").path
    var reader = try TapeReader(path: path)
    header = reader.header
    var columns = HitColumns()
    while true {
      switch try reader.next(into: &columns, selecting: .all) {
      case .block: add(columns)
      case .trailer(let trailer):
        targetExit = trailer.targetExit
        return
      case .damage, .end: throw Incomplete()
      }
    }
  }

  private mutating func add(_ columns: HitColumns) {
    let layout = header.kernel.architecture.registerLayout
    var sides = columns.sideEvents[...]
    for index in 0..<columns.count {
      while let side = sides.first, side.beforeHit <= index {
        items.append(.side(side.event))
        sides.removeFirst()
      }
      var registers = RegisterFile()
      for column in 0..<layout.count {
        registers[column] = columns.registers[index * layout.count + column]
      }
      let hit = Hit(
        kind: columns.kinds[index], flags: columns.flags[index], cpu: columns.cpus[index],
        probe: columns.probes[index],
        thread: columns.threadTable[Int(columns.threads[index])], time: columns.times[index],
        function: columns.functions[index], registers: registers)
      let bounds = Int(columns.windowStarts[index])..<Int(columns.windowStarts[index + 1])
      items.append(.hit(hit, window: Array(columns.windowWords[bounds])))
    }
    for side in sides { items.append(.side(side.event)) }
  }

  /// The hits, in order.
  var hits: [Hit] {
    items.compactMap { item in
      switch item {
      case .hit(let hit, _): hit
      case .side: nil
      }
    }
  }

  /// The name of each hit's probe.
  var names: [String] { hits.map { header.probes[Int($0.probe)].symbol } }

  /// Changes a hit and its window, by its index among the hits.
  mutating func change(hit wanted: Int, _ body: (inout Hit, inout [UInt64]) -> Void) {
    guard let place = place(ofHit: wanted), case .hit(var hit, var window) = items[place] else {
      preconditionFailure("no hit \(wanted)")
    }
    body(&hit, &window)
    items[place] = .hit(hit, window: window)
  }

  /// Leaves a hit out.
  mutating func remove(hit wanted: Int) {
    guard let place = place(ofHit: wanted) else { preconditionFailure("no hit \(wanted)") }
    items.remove(at: place)
  }

  /// Puts a side event before a hit.
  mutating func insert(_ event: SideEvent, beforeHit wanted: Int) {
    guard let place = place(ofHit: wanted) else { preconditionFailure("no hit \(wanted)") }
    items.insert(.side(TimedSideEvent(time: hits[wanted].time, event: event)), at: place)
  }

  private func place(ofHit wanted: Int) -> Int? {
    let places = items.indices.filter { index in
      switch items[index] {
      case .hit: true
      case .side: false
      }
    }
    return places.indices.contains(wanted) ? places[wanted] : nil
  }

  /// The tape's bytes.
  func bytes() throws -> [UInt8] {
    let output = MemoryTapeOutput()
    var writer = try TapeWriter(header: header, output: output)
    for item in items {
      switch item {
      case .hit(let hit, let window): try writer.append(hit, window: window.span)
      case .side(let event): try writer.append(event)
      }
    }
    try writer.finish(
      TapeTrailer(
        targetExit: targetExit, entries: writer.entries, returns: writer.returns, lost: 0,
        endTime: hits.last?.time ?? 0))
    return output.bytes
  }
}
