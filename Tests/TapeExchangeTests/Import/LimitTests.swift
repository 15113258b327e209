import ProbeEvents
import Replay
import TapeExchange
import TapeFormat
import Testing

/// What a perf.data lacks is said, and not held against anybody.
@Suite struct LimitTests {
  private func imported(
    _ functions: [String] = ["outer", "inner", "last"],
    configure: (inout PerfDataBuilder) -> Void = { _ in },
    run: (inout PerfDataBuilder) -> Void
  ) throws -> ImportedTape {
    var builder = ArmProgram.start(functions, configure: configure)
    run(&builder)
    return try ImportedTape(builder.file())
  }

  private func importedRun(
    configure: (inout PerfDataBuilder) -> Void
  ) throws -> ImportedTape {
    try imported(configure: configure) { ArmProgram.run(&$0) }
  }

  private func verdict(_ tape: ImportedTape) throws -> (Verdict, String) {
    let conclusion = try tape.replay()
    return (conclusion.verdict, conclusion.reason ?? "")
  }

  @Test func `losses in their place make unjudged what comes after`() throws {
    let tape = try imported { builder in
      ArmProgram.run(&builder)
      builder.lost(3, time: 2_600)
      ArmProgram.run(&builder, from: 3_000)
      builder.lostSamples(3, time: 0)
    }
    #expect(tape.summary.lost == 3)
    #expect(tape.trailer?.lost == 3)
    let (verdict, reason) = try verdict(tape)
    #expect(verdict == .unjudged)
    #expect(reason.contains("dropped 3 records") && reason.contains("before hit 6"))
  }

  @Test func `what a thread does elsewhere before its loss is told of is not judged`() throws {
    let tape = try imported { builder in
      ArmProgram.enter(
        &builder, "outer", ArmProgram.outer, lr: ArmProgram.main, sp: 0x9000, time: 2_000, cpu: 1)
      // Its next entry is lost on CPU 1; it goes on on CPU 0, and CPU 1 has a record much later.
      ArmProgram.leave(
        &builder, "inner", ArmProgram.inner, to: ArmProgram.inOuter, sp: 0x8000, time: 2_100, cpu: 0
      )
      builder.lost(1, time: 2_900, cpu: 1)
    }
    #expect(tape.hits.count == 2 && tape.summary.lost == 1 && tape.summary.late == 0)
    let conclusion = try tape.replay()
    #expect(conclusion.verdict == .unjudged && conclusion.divergences == [])
  }

  @Test func `losses that only the count at the end tells of count, too`() throws {
    let tape = try imported { builder in
      ArmProgram.run(&builder)
      builder.lostSamples(5, time: 0)
    }
    #expect(tape.summary.lost == 5)
    let (verdict, reason) = try verdict(tape)
    #expect(verdict == .unjudged)
    #expect(reason.contains("5 records at an unknown place"))
  }

  @Test func `a period above one leaves hits out`() throws {
    let (verdict, reason) = try verdict(importedRun(configure: { $0.period = 2 }))
    #expect(verdict == .unjudged)
    #expect(reason.contains("did not sample every hit"))
  }

  @Test func `returns without their entries cannot be judged`() throws {
    let tape = try imported(configure: { $0.events.removeAll { $0.name == "inner" } }) { builder in
      ArmProgram.enter(
        &builder, "outer", ArmProgram.outer, lr: ArmProgram.main, sp: 0x9000, time: 2_000)
      ArmProgram.leave(
        &builder, "inner", ArmProgram.inner, to: ArmProgram.inOuter, sp: 0x8000, time: 2_100)
    }
    let (verdict, reason) = try verdict(tape)
    #expect(verdict == .unjudged)
    #expect(reason.contains("no entry event for inner"))
  }

  @Test func `entries alone are a probe without return`() throws {
    let tape = try imported(configure: { $0.events.removeAll { $0.isReturn } }) { builder in
      ArmProgram.enter(
        &builder, "outer", ArmProgram.outer, lr: ArmProgram.main, sp: 0x9000, time: 2_000)
    }
    #expect(tape.header.probes.map(\.wantsReturn) == [false])
    #expect(try verdict(tape).0 == .match)
  }

  @Test func `a return that never fired belongs to the entry of its name`() throws {
    let tape = try imported { builder in
      ArmProgram.enter(
        &builder, "outer", ArmProgram.outer, lr: ArmProgram.main, sp: 0x9000, time: 2_000)
    }
    #expect(tape.header.probes.map(\.wantsReturn) == [true])
    #expect(tape.header.probes.map(\.symbol) == ["outer"])
    // Those of `inner` and `last` never fired either, and are at no known place.
    #expect(tape.hits.count == 1)
  }

  @Test func `a second event at the same place does not count twice`() throws {
    let tape = try imported(["outer", "again"]) { builder in
      for (name, time) in [("outer", UInt64(2_000)), ("again", 2_001)] {
        ArmProgram.enter(
          &builder, name, ArmProgram.outer, lr: ArmProgram.main, sp: 0x9000, time: time)
      }
      for (name, time) in [("outer", UInt64(2_100)), ("again", 2_101)] {
        ArmProgram.leave(
          &builder, name, ArmProgram.outer, to: ArmProgram.main, sp: 0x9000, time: time)
      }
    }
    #expect(tape.hits.map(\.probe) == ["outer", "outer"])
    #expect(tape.summary.notes.count { $0.contains("left out: another event") } == 2)
    #expect(try verdict(tape).0 == .match)
  }

  @Test func `registers that were not sampled are named`() throws {
    // lr, sp, pc.
    let tape = try imported(configure: { $0.registerMask = 7 << 30 }) { builder in
      builder.sample(
        "outer", time: 2_000, ip: ArmProgram.outer, function: ArmProgram.outer,
        registers: [ArmProgram.main, 0x9000, ArmProgram.outer], stack: [1])
    }
    #expect(tape.hits[0].sp == 0x9000)
    #expect(tape.hits[0].registers[30] == ArmProgram.main)
    #expect(tape.summary.notes.contains { $0.hasPrefix("registers not sampled are 0: x0 x1 x2") })
    #expect(try verdict(tape).0 == .match)
  }

  @Test func `without registers a return of no open call diverges`() throws {
    let tape = try imported(configure: {
      $0.hasRegisters = false
      $0.hasStack = false
    }) { builder in
      ArmProgram.enter(&builder, "outer", ArmProgram.outer, lr: 0, sp: 0, time: 2_000)
      ArmProgram.leave(
        &builder, "inner", ArmProgram.inner, to: ArmProgram.main, sp: 0, time: 2_100)
    }
    let conclusion = try tape.replay()
    #expect(conclusion.verdict == .diverged)
    #expect(conclusion.divergences.map(\.kind) == [.unexpectedReturn])
    #expect(conclusion.divergences[0].expected.contains("outer"))
    #expect(conclusion.divergences[0].actual.contains("inner"))
    // Addresses come from the raw data then.
    #expect(tape.hits.map(\.ip) == [ArmProgram.outer, ArmProgram.main])
  }

  @Test func `a longjmp over calls is in order`() throws {
    let tape = try imported(configure: {
      $0.hasRegisters = false
      $0.hasStack = false
    }) { builder in
      ArmProgram.enter(&builder, "outer", ArmProgram.outer, lr: 0, sp: 0, time: 2_000)
      ArmProgram.enter(&builder, "inner", ArmProgram.inner, lr: 0, sp: 0, time: 2_100)
      ArmProgram.leave(
        &builder, "outer", ArmProgram.outer, to: ArmProgram.main, sp: 0, time: 2_200)
    }
    let (verdict, reason) = try verdict(tape)
    #expect(verdict == .unjudged)
    #expect(reason.contains("the order of 1 returns agrees"))
  }

  @Test func `threads that ran before may return from calls nobody saw`() throws {
    let tape = try imported(configure: { $0.enablesOnExec = false }) { builder in
      // The first hit starts the time in which perf switches its events on.
      ArmProgram.enter(
        &builder, "last", ArmProgram.last, lr: ArmProgram.main, sp: 0x7000, time: 2_000)
      ArmProgram.leave(
        &builder, "last", ArmProgram.last, to: ArmProgram.main, sp: 0x7000, time: 2_100)
      let later: UInt64 = 100_000_000
      builder.sample(
        "outer__return", time: later, tid: 77, pid: 77, ip: ArmProgram.main,
        function: ArmProgram.outer,
        registers: ArmProgram.registers(
          lr: ArmProgram.trampoline, sp: 0x9000, pc: ArmProgram.main), stack: [1])
    }
    #expect(tape.header.wholeFrom > 2_100)
    #expect(tape.header.command == [])
    #expect(
      tape.sideEvents.contains {
        $0.event == .attached(ThreadIdentity(process: 77, thread: 77))
      })
    let conclusion = try tape.replay()
    #expect(conclusion.evidence.returnsOfUnseenEntries == 1)
    #expect(conclusion.verdict == .match, "\(conclusion)")
  }

  @Test func `an attached recording that is all beginning is not judged`() throws {
    let (verdict, reason) = try verdict(importedRun(configure: { $0.enablesOnExec = false }))
    #expect(verdict == .unjudged)
    #expect(reason.contains("still switching its events on"))
  }

  @Test func `a file without tracing data is read by the looks of its samples`() throws {
    let tape = try importedRun(configure: { $0.hasTracingData = false })
    #expect(tape.hits.map(\.kind) == [.entry, .entry, .entry, .return, .return, .return])
    #expect(tape.header.probes.map(\.fileOffset) == [0x4100, 0x4200, 0x4300])
    #expect(try verdict(tape).0 == .match)
  }
}
