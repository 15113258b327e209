import Foundation
import ProbeEvents
import Recorder
import TapeFormat
import Testing

@testable import Unwinding

/// arm64 tapes, unwound on whatever this is. A program that runs under qemu gives its registers and
/// its stack; with HIJACK it replaces return addresses as the kernel does.
@Suite(
  .enabled(
    if: Workshop.has("clang") && Workshop.has("qemu-aarch64"),
    "needs clang of the Swift toolchain and qemu-aarch64 (qemu-user)"))
struct ForeignTests {
  private static let trampoline: Address = 0xFFFF_FFFF_F000
  private static let probed = ["a", "b", "c", "d"]

  /// A run of the program, as a tape.
  private struct Run {
    let workshop: Workshop
    let program: String
    let words: [UInt64]

    init(hijacked: Bool) throws {
      workshop = try Workshop()
      program = workshop.folder.appending(path: "nested").path
      let source = Workshop.top.appending(
        path: "Tests/UnwindingTests/Programs/nested-calls-arm64.c")
      try Workshop.run(
        ["clang", "--target=aarch64-linux-gnu", "-O2", "-fomit-frame-pointer", "-ffreestanding"]
          + (hijacked ? ["-DHIJACK"] : [])
          + [
            "-fno-stack-protector", "-fasynchronous-unwind-tables", "-nostdlib", "-static",
            "-fuse-ld=lld", "-Wl,--build-id", "-Wl,--eh-frame-hdr", "-o", program, source.path,
          ])
      let output = workshop.folder.appending(path: "output").path
      try Workshop.run(["sh", "-c", "qemu-aarch64 '\(program)' >'\(output)'"])
      let bytes = [UInt8](try Data(contentsOf: URL(filePath: output)))
      words = stride(from: 0, to: bytes.count - 7, by: 8).map { start in
        (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[start + $1]) << UInt64($1 * 8) }
      }
    }

    /// Entry hits of the probed functions with stack pointer and link register, then the last hit
    /// with everything.
    func tape() throws -> [UInt8] {
      let file = try ELFFile(path: program)
      let code = try #require(file.segments.first { $0.isExecutable })
      let names = ForeignTests.probed + ["hit"]
      let symbols = try SymbolTable(of: file)
      let addresses = try names.map { try #require(symbols.functions(named: $0).first).address }
      let probes = zip(names, addresses).map { name, address in
        Probe(
          path: program, fileOffset: address - code.address + code.fileOffset, symbol: name,
          wantsReturn: name != "hit")
      }
      let header = TapeHeader(
        kernel: KernelFacts(architecture: .aarch64, release: "6.12.0"), probes: probes,
        stackBytes: 2048, writer: "tests")
      let output = MemoryTapeOutput()
      var writer = try TapeWriter(header: header, output: output)
      let start = code.address & ~0xFFF
      let mappings = [
        Mapping(
          process: 9, start: start, length: 0x1000, fileOffset: code.fileOffset & ~0xFFF,
          path: program, buildID: file.buildID),
        Mapping(
          process: 9, start: ForeignTests.trampoline, length: 0x1000, fileOffset: 0,
          path: Mapping.uprobesName),
      ]
      for mapping in mappings {
        try writer.append(TimedSideEvent(time: 0, event: .mapping(mapping)))
      }
      for place in 0..<4 {
        var registers = RegisterFile()
        registers[30] = words[place * 2 + 1]
        registers[31] = words[place * 2]
        registers[32] = addresses[place]
        try writer.append(hit(place, registers), window: [UInt64]().span)
      }
      var registers = RegisterFile()
      for column in 0..<33 { registers[column] = words[9 + column] }
      try writer.append(hit(4, registers), window: Array(words[42...]).span)
      try writer.finish(
        TapeTrailer(targetExit: .running, entries: 5, returns: 0, lost: 0, endTime: 9))
      return output.bytes
    }

    private func hit(_ place: Int, _ registers: RegisterFile) -> Hit {
      Hit(
        kind: .entry, cpu: 0, probe: UInt32(place),
        thread: ThreadIdentity(process: 9, thread: 9), time: UInt64(place + 1),
        function: registers[32], registers: registers)
    }
  }

  @Test func `a plain arm64 stack is unwound`() throws {
    let run = try Run(hijacked: false)
    let last = try #require(LiveStacks.stacks(of: run.tape()).last)
    // The call of d is a jump, so that c has no frame any more.
    #expect(last.functions == ["hit", "d_body", "b_body", "a_body", "outer", "_start"])
    #expect(last.ending == .complete)
  }

  @Test func `trampolines of an arm64 stack are put back`() throws {
    let run = try Run(hijacked: true)
    #expect(run.words[42...].filter { $0 == Self.trampoline }.count >= 3)
    #expect(run.words[7] == Self.trampoline, "the jump to d is chained")
    let last = try #require(LiveStacks.stacks(of: run.tape()).last)
    #expect(last.functions == ["hit", "d_body", "b_body", "a_body", "outer", "_start"])
    #expect(last.ending == .complete)
  }

  @Test func `without its file an arm64 stack has its first frame and says why`() throws {
    let run = try Run(hijacked: false)
    let tape = try run.tape()
    try FileManager.default.removeItem(atPath: run.program)
    let last = try #require(LiveStacks.stacks(of: tape).last)
    #expect(last.frames.count == 1 && last.ending == .noFile)
  }
}
