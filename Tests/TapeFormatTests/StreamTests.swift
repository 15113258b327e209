import Foundation
import ProbeEvents
import SystemPackage
import Testing

@testable import TapeFormat

/// Tapes in pipes, and in files that are still being written.
@Suite struct StreamTests {
  @Test func aTapeCanBeReadFromAPipeWhileItIsWritten() throws {
    let (readEnd, writeEnd) = try FileDescriptor.pipe()
    defer { try? readEnd.close() }
    var writer = try TapeWriter(
      header: Recording.header(.x86_64), output: FileTapeOutput(descriptor: writeEnd))
    var reader = try TapeReader(descriptor: readEnd)
    #expect(reader.header == Recording.header(.x86_64))
    var columns = HitColumns()
    let noWords: [UInt64] = []
    for time in 0..<3 {
      let image = HitImage(kind: .entry, time: UInt64(time), registers: [])
      try writer.append(image.hit, window: noWords.span)
      try writer.flush()
      #expect(try reader.next(into: &columns, selecting: .all) == .block)
      #expect(columns.times == [UInt64(time)])
    }
    let trailer = TapeTrailer(targetExit: .running, entries: 3, returns: 0, lost: 0, endTime: 9)
    try writer.finish(trailer)
    try writeEnd.close()
    #expect(try reader.next(into: &columns, selecting: .all) == .trailer(trailer))
  }

  @Test func aFullDeviceIsAnErrorWithItsErrno() throws {
    // /dev/full answers every write with ENOSPC, 28 on Linux.
    let output = try FileTapeOutput(path: "/dev/full")
    #expect(
      throws: TapeError.system(operation: "write", path: "/dev/full", errno: 28)
    ) { try TapeWriter(header: Recording.header(.x86_64), output: output) }
  }

  /// What was read before lies behind what is at hand, and must not be taken for more of the tape.
  @Test func aTapeThatEndsInAHeaderIsReadFromAFileAsFromMemory() throws {
    let tape = try WindowTape.make(hits: 30_000, seed: 7).bytes(
      options: TapeWriterOptions(hitsPerBlock: 3000))
    let folder = FileManager.default.temporaryDirectory.appending(path: "\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "cut.tape")
    for boundary in TapeSurgery.boundaries(tape).dropFirst(3).dropLast() {
      for rest in [1, 10, 23, 30, 71] {
        let cut = Array(tape[..<(boundary + rest)])
        try Data(cut).write(to: file)
        var reader = try TapeReader(path: file.path)
        let read = try Reading(&reader)
        #expect(read == (try Reading(cut)))
        #expect(
          read.damage == [
            TapeDamage(
              offset: UInt64(boundary), length: UInt64(rest), reason: .truncated,
              hits: read.damage.first?.hits)
          ])
      }
    }
  }

  @Test func readingFromADeviceWithoutAnyBytesIsAnEmptyTape() {
    #expect(throws: TapeError.empty) { try TapeReader(path: "/dev/null") }
  }
}
