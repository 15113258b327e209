import ProbeEvents
import TapeFormat

/// Small tapes that most tests of damage start from.
enum SmallTape {
  /// Three blocks of four hits and a side event each, and a trailer.
  static func recording(_ architecture: Architecture = .x86_64) -> Recording {
    var recording = Recording(header: Recording.header(architecture))
    let layout = architecture.registerLayout
    for index in 0..<12 {
      if index % 4 == 0 {
        let thread = ThreadIdentity(process: 100, thread: 100)
        let event = TimedSideEvent(time: UInt64(index), event: .threadName(thread, "t\(index)"))
        recording.items.append(.event(event))
      }
      var registers = (0..<layout.count).map { UInt64($0) }
      registers[layout.stackPointer] = 0x7fff_0000 - UInt64(index) * 16
      registers[layout.instructionPointer] = 0x40_0000
      recording.items.append(
        .hit(
          HitImage(
            kind: index % 3 == 2 ? .return : .entry, probe: UInt32(index % 3),
            time: 1000 + UInt64(index) * 700, function: 0x40_0000, registers: registers,
            window: [0x40_1000 + UInt64(index), 5, 6])))
    }
    recording.trailer = TapeTrailer(
      targetExit: .exited(0), entries: 8, returns: 4, lost: 0, endTime: 99_999)
    return recording
  }

  /// Two blocks of two hits and nothing in the header that can be left out, for tests that read the
  /// tape once for each of its bits.
  static func tiny(_ architecture: Architecture) -> (tape: Recording, flushes: Set<Int>) {
    var tape = recording(architecture)
    tape.header = TapeHeader(
      kernel: KernelFacts(architecture: architecture, release: "6"),
      probes: (0..<3).map { Probe(path: "", fileOffset: $0, wantsReturn: true) }, stackBytes: 24,
      writer: "")
    tape.items = Array(tape.items[2..<6])
    return (tape, [0, 2])
  }

  /// Item indices at which a block starts.
  static let blockStarts: Set<Int> = [0, 5, 10]

  static func bytes(_ architecture: Architecture = .x86_64) throws(TapeError) -> [UInt8] {
    try recording(architecture).bytes(flushes: blockStarts)
  }

  /// The items of each block.
  static func blocks(_ architecture: Architecture = .x86_64) -> [[Recording.Item]] {
    let items = recording(architecture).items
    return [Array(items[0..<5]), Array(items[5..<10]), Array(items[10..<15])]
  }
}
