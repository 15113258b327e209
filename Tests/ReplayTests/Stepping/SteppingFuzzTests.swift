import ProbeEvents
import ProbetapeTesting
import TapeFormat
import Testing

@testable import Replay

/// Tapes whose instructions, registers and stacks are random are judged without a trap, and the same
/// way each time.
@Suite("Stepping of random tapes")
struct SteppingFuzzTests {
  @Test("whatever a tape says, it is judged", arguments: 0..<60)
  func random(seed: Int) throws {
    var generator = SeededGenerator(seed: UInt64(seed))
    let tape = try Self.tape(&generator, seed % 2 == 0 ? .x86_64 : .aarch64)
    let bytes = try tape.bytes()
    let conclusion = try replay(bytes)
    #expect(conclusion.entries == 200)
    #expect(try replay(bytes) == conclusion)
    for divergence in conclusion.divergences { #expect(divergence.hit < 200) }
  }

  @Test("the random tapes have instructions of which something is said")
  func judged() throws {
    var steps: UInt64 = 0
    for seed in 0..<60 {
      var generator = SeededGenerator(seed: UInt64(seed))
      let tape = try Self.tape(&generator, seed % 2 == 0 ? .x86_64 : .aarch64)
      steps += try replay(tape.bytes()).evidence.steps
    }
    #expect(steps > 60)
  }

  /// Probes on each of a run of short instructions, and a task that mostly goes from one to the next.
  private static func tape(
    _ generator: inout SeededGenerator, _ architecture: Architecture
  ) throws -> RewrittenTape {
    let bytesEach = architecture == .x86_64 ? UInt64.random(in: 1...6, using: &generator) : 4
    let probes = (0..<24).map { index in
      var bytes = (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }
      if architecture == .x86_64, Bool.random(using: &generator) {
        bytes[0] =
          [0x90, 0x50, 0x58, 0x9c, 0x9d, 0xc3, 0xe2, 0x74, 0xeb, 0xe8, 0xc5, 0x66]
          .randomElement(using: &generator) ?? 0x90
      }
      return Probe(
        path: "/program", fileOffset: 0x1000 + UInt64(index) * bytesEach, wantsReturn: false,
        originalBytes: bytes)
    }
    var tape = RewrittenTape(
      header: TapeHeader(
        kernel: KernelFacts(architecture: architecture, release: "6.18.0"), probes: probes,
        command: ["/program"], stackBytes: 64))
    let layout = architecture.registerLayout
    var registers = RegisterFile()
    for hit in 0..<200 {
      let probe = hit % probes.count
      if hit % 7 == 0 {
        for column in 0..<layout.count {
          registers[column] =
            [0, 1, .max, .random(in: 0...(.max), using: &generator)]
            .randomElement(using: &generator) ?? 0
        }
      }
      // Now and then at the end of the address space.
      let base: Address = hit < 150 ? 0x40_0000 : UInt64.max - 0x2000
      registers[layout.instructionPointer] = base &+ probes[probe].fileOffset
      let window = (0..<8).map { _ in UInt64.random(in: 0...(.max), using: &generator) }
      // As many threads as there are rounds, since one that has diverged is not looked at again.
      let thread = ThreadIdentity(process: 1, thread: Int32(hit / probes.count + 1))
      tape.items.append(
        .hit(
          Hit(
            kind: .entry, cpu: 0, probe: UInt32(probe), thread: thread, time: UInt64(hit) * 10,
            function: registers[layout.instructionPointer], registers: registers),
          window: window))
    }
    return tape
  }
}
