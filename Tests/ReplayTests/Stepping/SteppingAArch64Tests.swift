import ProbeEvents
import TapeFormat
import Testing

@testable import Replay

/// The same on arm64, with tapes made by hand: simulated instructions, and those stepped.
@Suite("Stepping on arm64")
struct SteppingAArch64Tests {
  static let thread = ThreadIdentity(process: 7, thread: 7)
  static let base: Address = 0x40_0000
  static let layout = Architecture.aarch64.registerLayout

  struct Place {
    var offset: UInt64
    var word: UInt32
  }

  /// A tape of one hit for each place, with the registers given.
  private func tape(_ places: [Place], _ registers: [RegisterFile]) throws -> RewrittenTape {
    let probes = places.map { place in
      let bytes = (0..<4).map { UInt8(truncatingIfNeeded: place.word >> ($0 * 8)) }
      return Probe(
        path: "/program", fileOffset: place.offset, wantsReturn: false, originalBytes: bytes)
    }
    var tape = RewrittenTape(
      header: TapeHeader(
        kernel: KernelFacts(architecture: .aarch64, release: "6.12.0"), probes: probes,
        command: ["/program"], stackBytes: 64))
    for (index, registers) in registers.enumerated() {
      var registers = registers
      let address = Self.base + places[index].offset
      registers[Self.layout.instructionPointer] = address
      registers[Self.layout.stackPointer] = 0x7000
      let hit = Hit(
        kind: .entry, cpu: 0, probe: UInt32(index), thread: Self.thread,
        time: UInt64(index) * 10, function: address, registers: registers)
      tape.items.append(.hit(hit, window: []))
    }
    return tape
  }

  private func registers(_ values: [Int: UInt64] = [:]) -> RegisterFile {
    var registers = RegisterFile()
    for (column, value) in values { registers[column] = value }
    return registers
  }

  @Test("a branch with link leaves its return address, and nothing else")
  func branchWithLink() throws {
    // bl .+0x20
    let places = [Place(offset: 0x100, word: 0x9400_0008), Place(offset: 0x120, word: 0xd65f_03c0)]
    let before = registers([3: 9, 30: 1])
    let good = registers([3: 9, 30: Self.base + 0x104])
    let conclusion = try replay(tape(places, [before, good]).bytes())
    #expect(conclusion.verdict == .match && conclusion.evidence.steps == 1)
    for wrong in [registers([3: 9, 30: 1]), registers([3: 8, 30: Self.base + 0x104])] {
      let conclusion = try replay(tape(places, [before, wrong]).bytes())
      #expect(kinds(conclusion) == [.wrongStep])
      #expect(conclusion.divergences.first?.rule.contains("simulate-insn.c") == true)
    }
  }

  @Test("a compare and branch goes by its register")
  func compareBranch() throws {
    // cbz x2, .+8
    let places = [
      Place(offset: 0x100, word: 0xb400_0042), Place(offset: 0x104, word: 0xd503_201f),
      Place(offset: 0x108, word: 0xd503_201f),
    ]
    let taken = [places[0], places[2], places[1]]
    let zero = registers([2: 0])
    let one = registers([2: 1])
    #expect(try replay(tape(taken, [zero, zero]).bytes()).verdict == .match)
    #expect(try replay(tape(places, [one, one]).bytes()).verdict == .match)
    #expect(try kinds(replay(tape(taken, [one, one]).bytes())) == [.wrongStep])
    #expect(try kinds(replay(tape(places, [zero, zero]).bytes())) == [.wrongStep])
  }

  @Test("a stepped instruction may write what it names")
  func stepped() throws {
    // add x0, x1, #1
    let places = [Place(offset: 0x100, word: 0x9100_0420), Place(offset: 0x104, word: 0xd503_201f)]
    let before = registers([0: 5, 1: 6, 9: 7])
    #expect(
      try replay(tape(places, [before, registers([0: 7, 1: 6, 9: 7])]).bytes()).verdict == .match)
    let conclusion = try replay(tape(places, [before, registers([0: 7, 1: 6, 9: 8])]).bytes())
    #expect(kinds(conclusion) == [.wrongStep])
    #expect(conclusion.divergences.first?.rule.contains("arch_uprobe_post_xol()") == true)
  }
}
