import Foundation
import ProbeEvents
import Replay
import TapeExchange
import TapeFormat
import Testing

/// Files from which no tape can be made: a typed error that says what to do.
@Suite struct RefusalTests {
  private func refusal(_ bytes: [UInt8]) throws -> ExchangeError {
    try #require(throws: ExchangeError.self) { try ImportedTape(bytes) }
  }

  private func builder(_ configure: (inout PerfDataBuilder) -> Void) -> [UInt8] {
    var builder = ArmProgram.start(configure: configure)
    ArmProgram.run(&builder)
    return builder.file()
  }

  @Test func `what is no perf.data`() throws {
    #expect(try refusal([]) == .notPerfData)
    #expect(try refusal(Array("hello, this is no recording at all".utf8)) == .notPerfData)
    #expect(
      try refusal(Array("2ELIFREP".utf8) + [UInt8](repeating: 0, count: 100)) == .foreignByteOrder)
    #expect(throws: ExchangeError.isDirectory(path: "/tmp")) { try ImportedTape(path: "/tmp") }
    #expect(throws: ExchangeError.system(operation: "open", path: "/none", errno: 2)) {
      try ImportedTape(path: "/none")
    }
  }

  @Test(arguments: ["riscv64", "s390x", "ppc64le", "armv7l"])
  func `machines without a model`(machine: String) throws {
    let error = try refusal(builder { $0.machine = machine })
    #expect(error == .unsupportedArchitecture(machine))
    #expect(error.description.contains("x86_64 and aarch64"))
  }

  @Test func `registers of another machine`() throws {
    #expect(
      try refusal(builder { $0.machine = "x86_64" })
        == .foreignRegisters(mask: 0x1_ffff_ffff, architecture: "x86_64"))
  }

  @Test func `no uprobe events`() throws {
    // Samples of kernel probes look the same but for the mode.
    var builder = PerfDataBuilder(functions: ["do_sys_open"])
    builder.events.removeAll { $0.isReturn }
    builder.sample(
      "do_sys_open", time: 2_000, ip: 0xFFFF_8000_0000_1000, function: 0xFFFF_8000_0000_1000,
      registers: ArmProgram.registers(lr: 1, sp: 2, pc: 3), misc: 1)
    let error = try refusal(builder.file())
    #expect(error == .noUprobeEvents(["probe_program:do_sys_open"]))
    #expect(error.description.contains("perf probe -x"))
  }

  @Test func `samples without what a hit needs`() throws {
    #expect(
      try refusal(builder { $0.sampleType &= ~0x4 })
        == .samplesWithout("time (PERF_SAMPLE_TIME)"))
    #expect(try refusal(builder { $0.sampleType &= ~0x40 }) == .samplesWithoutID)
  }

  @Test func `a malformed header names the offset`() throws {
    var bytes = builder { _ in }
    bytes[16] = 7
    #expect(throws: ExchangeError.malformedHeader(part: "attributes of 7 bytes", offset: 16)) {
      try ImportedTape(bytes)
    }
  }
}
