import Foundation
import ProbeEvents
import Replay
import TapeExchange
import TapeFormat

/// A perf.data imported into memory, and the tape read back.
struct ImportedTape {
  struct ReadHit: Hashable {
    var kind: HitKind
    var probe: String
    var thread: ThreadIdentity
    var time: UInt64
    var ip: Address
    var function: Address
    var sp: Address
    var words: [UInt64]
    var registers: [UInt64]
    var flags: UInt8
    /// Of the stack, innermost first: file and offset, and a mark for exact ones.
    var frames: [String]
  }

  var summary: ImportSummary
  var bytes: [UInt8]
  var header: TapeHeader
  var hits: [ReadHit] = []
  var sideEvents: [TimedSideEvent] = []
  var trailer: TapeTrailer?

  /// Imports a file.
  init(path: String) throws {
    let output = MemoryTapeOutput()
    summary = try PerfImport.run(path: path, writer: "test", makeOutput: { output })
    bytes = output.bytes
    var reader = try TapeReader(bytes: bytes)
    header = reader.header
    var columns = HitColumns()
    while true {
      switch try reader.next(into: &columns, selecting: .all) {
      case .block: add(columns)
      case .damage(let damage): throw Failure(description: "\(damage)")
      case .trailer(let trailer): self.trailer = trailer
      case .end: return
      }
    }
  }

  /// Imports bytes, by way of a file.
  init(_ data: [UInt8]) throws {
    let url = FileManager.default.temporaryDirectory.appending(
      path: "probetape-perf-\(UUID().uuidString)")
    try Data(data).write(to: url)
    defer { try? FileManager.default.removeItem(at: url) }
    try self.init(path: url.path)
  }

  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  private mutating func add(_ columns: HitColumns) {
    let layout = header.kernel.architecture.registerLayout
    for index in 0..<columns.count {
      let words = Int(columns.windowStarts[index])..<Int(columns.windowStarts[index + 1])
      hits.append(
        ReadHit(
          kind: columns.kinds[index],
          probe: header.probes[Int(columns.probes[index])].displayName,
          thread: columns.threadTable[Int(columns.threads[index])], time: columns.times[index],
          ip: columns.instructionPointers[index], function: columns.functions[index],
          sp: columns.stackPointers[index], words: Array(columns.windowWords[words]),
          registers: Array(
            columns.registers[index * layout.count..<(index + 1) * layout.count]),
          flags: columns.flags[index].rawValue,
          frames: (columns.frames(ofHit: index)?.frames ?? []).map(Self.text)))
    }
    sideEvents += columns.sideEvents.map(\.event)
  }

  private static func text(_ named: NamedFrame) -> String {
    "\(named.file?.path ?? "-")+\(String(named.frame.offset, radix: 16))\(named.frame.isExact ? "!" : "")"
  }

  /// What the model says about the tape.
  func replay(_ handler: HandlerChoice = .modelOfTape) throws -> TapeConclusion {
    var reader = try TapeReader(bytes: bytes)
    return try TapeReplay.replay(&reader, handler: handler)
  }

  /// The hits as perf script's lines would tell them.
  var observed: [ObservedHit] {
    hits.map {
      ObservedHit(
        thread: $0.thread.thread, time: $0.time, isReturn: $0.kind == .return,
        function: $0.function, target: $0.kind == .return ? $0.ip : nil)
    }
  }
}

/// A hit as `perf script` prints it: the independent judge of what a perf.data holds.
struct ObservedHit: Hashable {
  var thread: Int32
  var time: UInt64
  var isReturn: Bool
  var function: Address
  var target: Address?

  /// The tracepoint lines of `perf script --ns -F tid,time,event,trace`.
  static func parse(_ text: String) -> [ObservedHit] {
    let line =
      /^\s*(\d+)\s+(\d+)\.(\d{9}):\s+\S+:\s+\(([0-9a-f]+)(?: <- ([0-9a-f]+))?\)/
    return text.split(separator: "\n").compactMap { row in
      guard let match = row.prefixMatch(of: line), let thread = Int32(match.1),
        let seconds = UInt64(match.2), let nanoseconds = UInt64(match.3),
        let function = UInt64(match.4, radix: 16)
      else { return nil }
      return ObservedHit(
        thread: thread, time: seconds * 1_000_000_000 + nanoseconds, isReturn: match.5 != nil,
        function: function, target: match.5.flatMap { UInt64($0, radix: 16) })
    }
  }
}

/// The committed perf.data files and their text by perf itself.
enum Fixture {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures")
  static let top = folder.deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  static func path(_ name: String) -> String { folder.appending(path: name).path }

  static func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: folder.appending(path: name)))
  }

  static func text(_ name: String) throws -> String {
    try String(contentsOf: folder.appending(path: name), encoding: .utf8)
  }

  /// A tape of the repository's recordings.
  static func recording(_ name: String) -> String {
    top.appending(path: "recordings/x86_64/6.18.44/\(name).tape").path
  }
}
