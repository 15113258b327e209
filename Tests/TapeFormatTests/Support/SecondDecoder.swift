import Foundation

/// `tools/tape-decoder`, run as a program.
enum SecondDecoder {
  /// The fields of a hit, numbers that are addresses or register values as hexadecimal text.
  struct Hit: Decodable, Equatable {
    var hit: Int
    var kind: String
    var probe: String
    var process: Int32
    var thread: Int32
    var cpu: UInt16
    var function: String
    var registers: [String: String]
    var stack: [String]
    var frames: [Frame]?
    var ending: String?
  }

  /// A frame of a hit's user stack.
  struct Frame: Decodable, Equatable {
    var offset: String
    var exact: Bool
    var file: String?
    var buildID: String?
    var function: String?
    var distance: UInt64?
  }

  /// A hit, or a side event by its kind.
  struct Line: Equatable {
    var time: UInt64
    var hit: Hit?
    var side: String?
  }

  /// What the program printed, without header and trailer, and how it ended.
  struct Outcome {
    var status: Int32
    /// The reference counter of each probe of the header, 0 for none; nil without a header.
    var referenceCounters: [UInt64]?
    var lines: [Line]
    /// The lines of standard error.
    var messages: [String]
  }

  /// The repository's top folder.
  static let top = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// Whether there is a Python with what the program needs.
  static let canRun: Bool = {
    let python = Process()
    python.executableURL = URL(filePath: "/usr/bin/python3")
    python.arguments = ["-c", "import zstandard"]
    python.standardError = FileHandle.nullDevice
    guard (try? python.run()) != nil else { return false }
    python.waitUntilExit()
    return python.terminationStatus == 0
  }()

  /// Decodes a tape, which is put in a file for as long as it takes.
  static func decode(_ tape: [UInt8]) throws -> Outcome {
    let folder = FileManager.default.temporaryDirectory.appending(path: "\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "second.tape")
    let notes = folder.appending(path: "notes")
    try Data(tape).write(to: file)
    try Data().write(to: notes)

    let decoder = Process()
    let output = Pipe()
    decoder.executableURL = top.appending(path: "tools/tape-decoder")
    decoder.arguments = ["--all", file.path]
    decoder.standardOutput = output
    decoder.standardError = try FileHandle(forWritingTo: notes)
    try decoder.run()
    let printed = try output.fileHandleForReading.readToEnd() ?? Data()
    decoder.waitUntilExit()
    return Outcome(
      status: decoder.terminationStatus, referenceCounters: try referenceCounters(printed),
      lines: try printed.split(separator: UInt8(ascii: "\n")).compactMap { try line($0) },
      messages: try String(contentsOf: notes, encoding: .utf8).split(separator: "\n")
        .map(String.init))
  }

  private struct Head: Decodable {
    struct Header: Decodable {
      struct Probe: Decodable { var referenceCounter: UInt64? }
      var probes: [Probe]
    }
    var header: Header
  }

  private static func referenceCounters(_ printed: Data) throws -> [UInt64]? {
    guard let first = printed.split(separator: UInt8(ascii: "\n")).first else { return nil }
    return try JSONDecoder().decode(Head.self, from: first).header.probes.map {
      $0.referenceCounter ?? 0
    }
  }

  private struct Event: Decodable {
    var time: UInt64?
    var hit: Int?
    var side: String?
  }

  /// Nil for the header and the trailer.
  private static func line(_ json: Data) throws -> Line? {
    let decoder = JSONDecoder()
    let event = try decoder.decode(Event.self, from: json)
    guard let time = event.time else { return nil }
    let hit = event.hit == nil ? nil : try decoder.decode(Hit.self, from: json)
    return Line(time: time, hit: hit, side: event.side)
  }
}
