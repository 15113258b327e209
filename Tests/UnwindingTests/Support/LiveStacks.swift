import Foundation
import Glibc
import ProbeEvents
import Recorder
import Replay
import TapeFormat

@testable import Unwinding

/// Tapes recorded for a test, and their stacks as text.
enum LiveStacks {
  /// Why this host cannot record; nil when it can.
  static let refusal: String? = {
    do {
      let workshop = try Workshop()
      let program = try workshop.compile(
        "__attribute__((noipa)) void f(void) {} int main(void) { f(); return 0; }")
      let tape = try record(["uprobe:\(program):f"], [program])
      return try stacks(of: tape).count == 1 ? nil : "a trial recording brought no hit"
    } catch {
      return "\(error)"
    }
  }()

  /// Whether it can; prints why not.
  static let canRecord: Bool = {
    if let refusal { print("live stack tests skipped: \(refusal)") }
    return refusal == nil
  }()

  /// Records a command with stack bytes to unwind from.
  static func record(
    _ probes: [String], _ command: [String], stackBytes: UInt32 = 65_528, options: [String] = []
  ) throws -> [UInt8] {
    // Another process records: in this one, the recorder's own tests look at what is left behind.
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "probetape-stacks-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let tape = folder.appending(path: "live.tape").path
    let recorder = Process()
    recorder.executableURL = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
      .appending(path: "probetape")
    recorder.arguments =
      ["record", "-q", "--stack", "\(stackBytes)", "-o", tape] + options
      + probes.flatMap { ["-e", $0] }
      + ["--"] + command
    recorder.standardInput = FileHandle.nullDevice
    recorder.standardOutput = FileHandle.nullDevice
    try recorder.run()
    recorder.waitUntilExit()
    return [UInt8](try Data(contentsOf: URL(filePath: tape)))
  }

  /// A hit with its stack: each frame as file, offset and exactness, and in the end why there are no
  /// more.
  struct Stack: Equatable, CustomStringConvertible {
    var kind: HitKind
    var probe: String
    var thread: ThreadIdentity
    var frames: [String]
    var functions: [String]
    var ending: StackEnding

    var description: String { "\(kind) \(probe): \(functions) \(ending)" }

    /// Without what differs between two runs.
    var comparable: [String] { ["\(kind)", probe] + frames + ["\(ending)"] }
  }

  /// Unwinds a tape.
  static func stacks(
    of tape: [UInt8], search: ImageSearch = ImageSearch(), engine: (any StackEngine)? = nil
  ) throws -> [Stack] {
    var reader = try TapeReader(bytes: tape)
    var unwinding = TapeUnwinding(header: reader.header, search: search, engine: engine)
    var columns = HitColumns()
    var stacks: [Stack] = []
    while case .block = try reader.next(into: &columns, selecting: .all) {
      _ = unwinding.unwind(&columns)
      _ = unwinding.newSymbols()
      columns.stackSymbols = unwinding.symbols
      stacks += self.stacks(of: columns, reader.header.probes)
    }
    return stacks
  }

  /// The stacks that a tape has.
  static func stacks(on tape: [UInt8]) throws -> [Stack] {
    var reader = try TapeReader(bytes: tape)
    var columns = HitColumns()
    var stacks: [Stack] = []
    while case .block = try reader.next(into: &columns, selecting: .all) {
      stacks += self.stacks(of: columns, reader.header.probes)
    }
    return stacks
  }

  private static func stacks(of columns: HitColumns, _ probes: [Probe]) -> [Stack] {
    (0..<columns.count).map { hit in
      let found = columns.frames(ofHit: hit)
      return Stack(
        kind: columns.kinds[hit], probe: probes[Int(columns.probes[hit])].displayName,
        thread: columns.threadTable[Int(columns.threads[hit])],
        frames: found?.frames.map(text) ?? [],
        functions: found?.frames.map { $0.function ?? "?" } ?? [],
        ending: found?.ending ?? .notUnwound)
    }
  }

  private static func text(_ named: NamedFrame) -> String {
    "\(named.file?.path ?? "-")+\(String(named.frame.offset, radix: 16))\(named.frame.isExact ? "!" : "")"
  }
}
