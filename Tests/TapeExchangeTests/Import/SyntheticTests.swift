import ProbeEvents
import Replay
import TapeExchange
import TapeFormat
import Testing

/// Made-up perf.data files, for what this host cannot record. arm64 is among them: there is no real
/// arm64 file here.
@Suite struct SyntheticTests {
  private func imported(
    usesMmap2: Bool = true, configure: (inout PerfDataBuilder) -> Void = { _ in },
    run: (inout PerfDataBuilder) -> Void
  ) throws -> ImportedTape {
    var builder = ArmProgram.start(usesMmap2: usesMmap2, configure: configure)
    run(&builder)
    return try ImportedTape(builder.file())
  }

  private func importedRun(
    usesMmap2: Bool = true, configure: (inout PerfDataBuilder) -> Void = { _ in }
  ) throws -> ImportedTape {
    try imported(usesMmap2: usesMmap2, configure: configure) { ArmProgram.run(&$0) }
  }

  @Test func `an arm64 file replays to a match`() throws {
    let tape = try importedRun()
    #expect(tape.header.kernel.architecture == .aarch64)
    #expect(tape.hits.map(\.probe) == ["outer", "inner", "last", "last", "inner", "outer"])
    #expect(tape.hits.map(\.kind) == [.entry, .entry, .entry, .return, .return, .return])
    #expect(tape.hits[2].registers[30] == ArmProgram.trampoline)
    #expect(tape.hits[2].registers[5] == 6)
    #expect(tape.hits[2].sp == 0x8000)
    #expect(tape.hits[2].words == [0x8000, 0x8008])
    #expect(tape.hits[3].ip == ArmProgram.inOuter)
    #expect(tape.header.probes.map(\.fileOffset) == [0x4100, 0x4200, 0x4300])
    #expect(tape.header.probes.allSatisfy { $0.wantsReturn && $0.buildID == [1, 2, 3, 4] })
    #expect(tape.header.command == ["/bin/program"])
    let conclusion = try tape.replay()
    #expect(conclusion.verdict == .match, "\(conclusion)")
  }

  @Test func `arm64 needs no stack words`() throws {
    let tape = try importedRun(configure: { $0.hasStack = false })
    #expect(try tape.replay().verdict == .match)
  }

  @Test func `a wrong return is seen in an imported tape`() throws {
    let tape = try imported { builder in
      ArmProgram.enter(
        &builder, "outer", ArmProgram.outer, lr: ArmProgram.main, sp: 0x9000, time: 2_000)
      ArmProgram.leave(
        &builder, "inner", ArmProgram.inner, to: ArmProgram.main, sp: 0x9000, time: 2_100)
    }
    #expect(try tape.replay().divergences.map(\.kind) == [.wrongReturn])
  }

  @Test(arguments: [96, 104, 112, 120, 128, 136, 144])
  func `attributes of all versions are read`(size: Int) throws {
    let tape = try importedRun(configure: { $0.attributeSize = size })
    #expect(try tape.replay().verdict == .match)
  }

  @Test func `mappings without MMAP2 do as well`() throws {
    let tape = try importedRun(usesMmap2: false)
    #expect(tape.header.probes.map(\.fileOffset) == [0x4100, 0x4200, 0x4300])
    #expect(try tape.replay().verdict == .match)
  }

  @Test func `fields before the registers may be of any kind`() throws {
    let tape = try imported(
      // READ and CALLCHAIN before the raw data, BRANCH_STACK after it.
      configure: { $0.sampleType |= 0x10 | 0x20 | 0x800 }
    ) { builder in
      var before: [UInt8] = []
      // The value and its id (read_format is 4), then a callchain of three.
      for value: UInt64 in [7, 8, 3, 1, 2, 3] { before.add(value) }
      var after: [UInt8] = []
      for value: UInt64 in [2, 1, 2, 3, 4, 5, 6] { after.add(value) }
      builder.sample(
        "outer", time: 2_000, ip: ArmProgram.outer, function: ArmProgram.outer,
        registers: ArmProgram.registers(lr: ArmProgram.main, sp: 0x9000, pc: ArmProgram.outer),
        stack: [1, 2], before: before, afterRaw: after)
    }
    #expect(tape.hits.count == 1)
    #expect(tape.hits[0].sp == 0x9000)
    #expect(tape.hits[0].words == [1, 2])
    // None of the callchain's addresses is said to be of user mode.
    #expect(tape.summary.stacks == 0)
  }

  @Test func `of a callchain the user addresses become frames`() throws {
    func mark(_ number: Int64) -> UInt64 { UInt64(bitPattern: number) }
    let chains: [(words: [UInt64], frames: [String])] = [
      // PERF_CONTEXT_KERNEL and two addresses, then PERF_CONTEXT_USER.
      (
        [mark(-128), 0xFFFF_8000_0000_1000, 0xFFFF_8000_0000_2000, mark(-512)]
          + [ArmProgram.outer, ArmProgram.main],
        ["/bin/program+4100!", "/bin/program+4040"]
      ),
      // PERF_CONTEXT_GUEST_USER behind it, and an address that is in no mapping.
      ([mark(-512), ArmProgram.outer, 0x10, mark(-2560), 5], ["/bin/program+4100!", "-+10"]),
      // PERF_CONTEXT_USER_DEFERRED: a number, and the addresses come later.
      ([mark(-640), 77], []), ([], []),
    ]
    let tape = try imported(configure: { $0.sampleType |= 0x20 }) { builder in
      for (index, chain) in chains.enumerated() {
        var before: [UInt8] = []
        before.add(UInt64(chain.words.count))
        for word in chain.words { before.add(word) }
        builder.sample(
          "outer", time: 2_000 + UInt64(index), ip: ArmProgram.outer, function: ArmProgram.outer,
          registers: ArmProgram.registers(lr: ArmProgram.main, sp: 0x9000, pc: ArmProgram.outer),
          stack: [1, 2], before: before)
      }
    }
    #expect(tape.hits.map(\.frames) == chains.map(\.frames))
    #expect(tape.summary.stacks == 2)
  }

  @Test func `records of unknown kinds are passed over`() throws {
    let tape = try imported { builder in
      builder.kernelRecord(11, [UInt8](repeating: 1, count: 24), time: 1_300)
      builder.kernelRecord(22, [UInt8](repeating: 1, count: 40), time: 1_300)
      builder.record(84, [UInt8](repeating: 1, count: 16))
      // AUXTRACE: 40 bytes more come behind it.
      var body: [UInt8] = []
      body.add(UInt64(40))
      body += [UInt8](repeating: 0, count: 32)
      builder.record(71, body)
      builder.raw([UInt8](repeating: 0xFF, count: 40))
      ArmProgram.run(&builder)
    }
    #expect(try tape.replay().verdict == .match)
    #expect(tape.summary.malformed == 0)
  }

  @Test func `CPUs whose rings were read in turn come into order`() throws {
    let tape = try imported { builder in
      // The thread moves from CPU 1 to CPU 0, whose ring is read first.
      ArmProgram.leave(
        &builder, "inner", ArmProgram.inner, to: ArmProgram.inOuter, sp: 0x8000, time: 2_300, cpu: 0
      )
      ArmProgram.leave(
        &builder, "outer", ArmProgram.outer, to: ArmProgram.main, sp: 0x9000, time: 2_400, cpu: 0)
      ArmProgram.enter(
        &builder, "outer", ArmProgram.outer, lr: ArmProgram.main, sp: 0x9000, time: 2_000, cpu: 1)
      builder.finishedRound()
      // One that missed the round that later ones made.
      ArmProgram.enter(
        &builder, "inner", ArmProgram.inner, lr: ArmProgram.inOuter, sp: 0x8000, time: 2_100, cpu: 1
      )
      builder.finishedRound()
      builder.finishedRound()
    }
    #expect(tape.hits.map(\.time) == [2_000, 2_100, 2_300, 2_400])
    #expect(tape.summary.late == 0)
    #expect(try tape.replay().verdict == .match)
  }

  @Test func `a record that comes too late makes the tape unjudged`() throws {
    let tape = try imported { builder in
      ArmProgram.run(&builder)
      for _ in 0..<3 { builder.finishedRound() }
      ArmProgram.enter(
        &builder, "outer", ArmProgram.outer, lr: ArmProgram.main, sp: 0x9000, time: 1_500, cpu: 1)
    }
    #expect(tape.summary.late == 1)
    #expect(tape.hits.count == 7)
    #expect(try tape.replay().verdict == .unjudged)
  }

  @Test func `a sample written twice is dropped and counted`() throws {
    let tape = try imported { builder in
      ArmProgram.enter(
        &builder, "outer", ArmProgram.outer, lr: ArmProgram.main, sp: 0x9000, time: 2_000)
      builder.finishedRound()
      ArmProgram.enter(
        &builder, "outer", ArmProgram.outer, lr: ArmProgram.main, sp: 0x9000, time: 2_000)
      ArmProgram.leave(
        &builder, "outer", ArmProgram.outer, to: ArmProgram.main, sp: 0x9000, time: 2_100)
    }
    #expect(tape.summary.duplicates == 1)
    #expect(tape.hits.map(\.kind) == [.entry, .return])
    #expect(tape.summary.notes.contains { $0.hasPrefix("1 samples dropped") })
    #expect(try tape.replay().verdict == .match)
  }

  @Test func `equal samples at other times are other hits`() throws {
    let tape = try imported { builder in
      for time: UInt64 in [2_000, 2_001] {
        ArmProgram.enter(
          &builder, "outer", ArmProgram.outer, lr: ArmProgram.main, sp: 0x9000, time: time)
      }
    }
    #expect(tape.hits.count == 2)
    #expect(tape.summary.duplicates == 0)
  }
}
