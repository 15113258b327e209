import Foundation
import ProbeEvents
import Recorder
import TapeFormat
import Testing

@testable import Unwinding

extension LiveStackTests {
  /// Which files are used, and what becomes of bad ones.
  @Suite(.serialized) struct FileTests {
    private static let source = """
      __attribute__((noipa)) int p(int n) { return n + 1; }
      __attribute__((noipa)) int mid(int n) { int r = p(n); __asm__("" : "+r"(r)); return r; }
      int main(void) { return mid(1) - EXTRA; }
      """

    private func notes(
      _ tape: [UInt8], _ search: ImageSearch
    ) throws -> (stack: LiveStacks.Stack, notes: [String]) {
      var reader = try TapeReader(bytes: tape)
      var unwinding = TapeUnwinding(header: reader.header, search: search)
      var columns = HitColumns()
      while case .block = try reader.next(into: &columns, selecting: .all) {
        _ = unwinding.unwind(&columns)
      }
      let stack = try #require(LiveStacks.stacks(of: tape, search: search).first)
      return (stack, unwinding.unwinder.notes)
    }

    @Test func `a file of another build is not used, and the right one is found elsewhere`() throws
    {
      let workshop = try Workshop()
      let program = try workshop.compile(Self.source, ["-O2", "-DEXTRA=2", "-Wl,--build-id"])
      let tape = try LiveStacks.record(["uprobe:\(program):p"], [program])
      let fine = try notes(tape, ImageSearch())
      #expect(Array(fine.stack.functions.prefix(3)) == ["p", "mid", "main"])
      #expect(!fine.notes.contains { $0.contains(program) })

      let buildID = try ELFFile(path: program).buildID.map {
        ($0 < 16 ? "0" : "") + String($0, radix: 16)
      }.joined()
      let root = workshop.folder.appending(path: "root")
      let kept = root.path + program
      try FileManager.default.createDirectory(
        at: URL(filePath: kept).deletingLastPathComponent(), withIntermediateDirectories: true)
      try FileManager.default.moveItem(atPath: program, toPath: kept)

      let gone = try notes(tape, ImageSearch())
      // The return address of an entry is known without any file.
      #expect(gone.stack.frames == Array(fine.stack.frames.prefix(2)))
      #expect(gone.stack.ending == .noFile)
      #expect(gone.notes.contains("\(program): not found (build id \(buildID))"))

      _ = try workshop.compile(Self.source, ["-O2", "-DEXTRA=3", "-Wl,--build-id"])
      let other = try notes(tape, ImageSearch())
      #expect(other.stack.ending == .noFile)
      #expect(
        other.notes.contains("\(program): of another build than on the tape (build id \(buildID))"))

      let found = try notes(tape, ImageSearch(root: root.path))
      #expect(found.stack == fine.stack)
      let name = String(buildID.prefix(2)) + "/" + buildID.dropFirst(2)
      let debug = workshop.folder.appending(path: "debug/.build-id/" + name).path
      try FileManager.default.createDirectory(
        at: URL(filePath: debug).deletingLastPathComponent(), withIntermediateDirectories: true)
      try FileManager.default.copyItem(atPath: kept, toPath: debug)
      let debugRoot = workshop.folder.appending(path: "debug").path
      #expect(
        try notes(tape, ImageSearch(debugRoots: [debugRoot, "/usr/lib/debug"])).stack == fine.stack)
      let fetched = ImageSearch(fetch: { $0 == buildID ? kept : nil })
      #expect(try notes(tape, fetched).stack == fine.stack)
    }

    /// The tables come from a file that may be made to harm: every change of them ends in some stack, in
    /// bounded time.
    @Test(arguments: [["-O2"], ["-O2", "-static"]])
    func `crooked unwind tables end in stacks`(options: [String]) throws {
      let workshop = try Workshop()
      let program = try workshop.compile(
        Self.source, options + ["-DEXTRA=2", "-Wl,--build-id"])
      let tape = try LiveStacks.record(["uretprobe:\(program):p"], [program], stackBytes: 8192)
      let whole = try Data(contentsOf: URL(filePath: program))
      let file = try ELFFile(path: program)
      let found = file.unwindTables(limit: 1 << 28)
      let tables = try #require(found)
      // A table that was made is nowhere in the file.
      let places = tables.areas.compactMap { area in
        file.fileOffset(of: area.address).map { Int($0)..<Int($0) + area.bytes.count }
      }
      #expect(!places.isEmpty)
      var random = SystemRandomNumberGenerator()
      var shorter = 0
      for round in 0..<100 {
        var bent = whole
        for range in places {
          for _ in 0..<max(3, range.count / (round % 3 == 0 ? 4 : 40)) {
            bent[Int.random(in: range, using: &random)] = UInt8.random(in: 0...255, using: &random)
          }
        }
        try bent.write(to: URL(filePath: program))
        for engine in [nil, LibdwEngine()] as [(any StackEngine)?] {
          let stacks = try LiveStacks.stacks(of: tape, engine: engine)
          #expect(stacks.count == 2)
          #expect(stacks.allSatisfy { (1...StackLimit.frames).contains($0.frames.count) })
          if stacks[0].ending != .complete { shorter += 1 }
        }
      }
      #expect(shorter > 0, "no change was noticed")
    }

    @Test func `registers and stack of any values end in stacks`() throws {
      let workshop = try Workshop()
      let program = try workshop.compile(Self.source, ["-O2", "-DEXTRA=2"])
      let tape = try LiveStacks.record(["uretprobe:\(program):p"], [program], stackBytes: 1024)
      var reader = try TapeReader(bytes: tape)
      var columns = HitColumns()
      guard case .block = try reader.next(into: &columns, selecting: .all) else {
        Issue.record("no block")
        return
      }
      var random = SystemRandomNumberGenerator()
      let useful = columns.windowWords + columns.registers
      for _ in 0..<200 {
        var bent = columns
        for _ in 0..<20 {
          let value =
            Bool.random() ? useful[Int.random(in: 0..<useful.count, using: &random)] : random.next()
          bent.windowWords[Int.random(in: 0..<bent.windowWords.count, using: &random)] = value
          bent.registers[Int.random(in: 0..<bent.registers.count, using: &random)] = value
        }
        var unwinding = TapeUnwinding(header: reader.header, search: ImageSearch())
        _ = unwinding.unwind(&bent)
        #expect(bent.stacks.count == columns.count && bent.stacks.allSatisfy { $0 > 0 })
      }
    }
  }
}
