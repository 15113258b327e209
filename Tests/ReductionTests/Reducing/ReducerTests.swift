import KernelModel
import ProbeEvents
import ProbetapeTesting
import Reduction
import Replay
import TapeFormat
import Testing

/// Tapes with one situation in much else come down to that situation.
@Suite struct ReducerTests {
  /// Many calls, of which one sequence in the middle is left by a longjmp and noticed by the return of
  /// an older frame: before 4.3 the inner call's handlers would have run.
  private func longjmpAmongCalls(_ calls: Int, threads: Int = 1) throws -> [UInt8] {
    var tape = try TapeBuilder(functions: ["main", "a", "b", "outer", "c", "d"])
    let others = (0..<threads - 1).map {
      ThreadIdentity(process: TapeBuilder.mainThread.process, thread: 200 + Int32($0))
    }
    for other in others {
      try tape.event(
        .fork(TaskFork(parent: TapeBuilder.mainThread, child: other, cloneFlags: 0x3D0F00)))
    }
    func noise(_ number: Int) throws {
      let sp = 0x8000 - UInt64(number % 5) * 0x100
      try tape.enter("a", sp: sp, returnAddress: 0x40_0100)
      try tape.enter("b", sp: sp - 0x40, returnAddress: 0x40_0200)
      for (index, other) in others.enumerated() {
        let place = 0x20_0000 * UInt64(index + 1)
        try tape.enter("b", sp: place, returnAddress: 0x40_0300, thread: other)
        try tape.leave("b", sp: place + 8, to: 0x40_0300, thread: other)
      }
      try tape.leave("b", sp: sp - 0x38, to: 0x40_0200)
      try tape.leave("a", sp: sp + 8, to: 0x40_0100)
    }
    try tape.enter("main", sp: 0x9000, returnAddress: 0x40_0001)
    for number in 0..<calls { try noise(number) }
    try tape.enter("outer", sp: 0x7100, returnAddress: 0x40_0010)
    try tape.enter("a", sp: 0x70E0, returnAddress: 0x40_0100)
    try tape.leave("a", sp: 0x70E8, to: 0x40_0100)
    try tape.enter("c", sp: 0x70C0, returnAddress: 0x40_0020)
    try tape.enter("d", sp: 0x7080, returnAddress: 0x40_0030)
    try tape.leave("outer", sp: 0x7108, to: 0x40_0010)
    for number in 0..<calls { try noise(number) }
    try tape.leave("main", sp: 0x9008, to: 0x40_0001)
    return try tape.finish()
  }

  @Test(arguments: [0, 1, 10, 300], [1, 3])
  func `a longjmp among calls comes down to three hits`(calls: Int, threads: Int) throws {
    let bytes = try longjmpAmongCalls(calls, threads: threads)
    let reduced = try ReductionFixture.reduce(bytes, ReductionFixture.e2)
    #expect(reduced.isMinimal && reduced.hasReference)
    #expect(reduced.divergence.kind == .wrongReturn)
    // One call left by the jump is enough.
    #expect(try ReductionFixture.hits(reduced.tape) == ["outer", "d", "<outer"])
    #expect(try ReductionFixture.replay(reduced.tape, .modelOfTape).verdict == .match)
    let own = try ReductionFixture.replay(reduced.tape, ReductionFixture.e2)
    #expect(own.divergences.map(\.kind) == [.wrongReturn])
    #expect(own.divergences.first?.rule == reduced.divergence.rule)
  }

  @Test func `the tape says what it was made from`() throws {
    let bytes = try longjmpAmongCalls(3)
    let reduced = try ReductionFixture.reduce(bytes, ReductionFixture.e2)
    let header = try TapeReader(bytes: reduced.tape).header
    #expect(header.derivations == [ReductionFixture.step])
    #expect(header.probes.map(\.symbol) == ["outer", "d"])
  }

  @Test func `jobs and batches change no byte`() throws {
    let bytes = try longjmpAmongCalls(40, threads: 3)
    let one = try ReductionFixture.reduce(bytes, ReductionFixture.e2)
    for jobs in [2, 4] {
      let other = try ReductionFixture.reduce(
        bytes, ReductionFixture.e2, jobs: jobs, batch: jobs)
      #expect(other.tape == one.tape)
    }
  }

  @Test func `a fork comes down to parent, child and one return`() throws {
    let child = ThreadIdentity(process: 200, thread: 200)
    var tape = try TapeBuilder(functions: ["f", "g"])
    for _ in 0..<20 {
      try tape.enter("g", sp: 0x7000, returnAddress: 0x40_0020)
      try tape.leave("g", sp: 0x7008, to: 0x40_0020)
    }
    try tape.enter("f", sp: 0x7000, returnAddress: 0x40_0010)
    try tape.event(
      .fork(TaskFork(parent: TapeBuilder.mainThread, child: child, cloneFlags: 0x1200011)))
    try tape.enter("g", sp: 0x6F00, returnAddress: 0x40_0020, thread: child)
    try tape.leave("g", sp: 0x6F08, to: 0x40_0020, thread: child)
    try tape.leave("f", sp: 0x7008, to: 0x40_0010, thread: child)
    try tape.leave("f", sp: 0x7008, to: 0x40_0010)
    let reduced = try ReductionFixture.reduce(
      try tape.finish(), .model(.e1, name: "model:3.12"))
    #expect(reduced.divergence.kind == .unexpectedReturn)
    #expect(try ReductionFixture.hits(reduced.tape) == ["f", "<f"])
  }

  @Test func `a stack word is kept where the divergence is about it`() throws {
    var tape = try TapeBuilder(functions: ["f", "g"])
    for _ in 0..<10 {
      try tape.enter("g", sp: 0x6000, returnAddress: 0x40_0020)
      try tape.leave("g", sp: 0x6008, to: 0x40_0020)
    }
    try tape.enter("f", sp: 0x7010, returnAddress: 0x40_0010)
    tape.set(word: 0x1234, at: 0x7010)
    try tape.enter("g", sp: 0x7000, returnAddress: 0x40_0020)
    try tape.leave("g", sp: 0x7008, to: 0x40_0020)
    try tape.leave("f", sp: 0x7018, to: 0x40_0010)
    let reduced = try ReductionFixture.reduce(try tape.finish(), .modelOfTape)
    #expect(!reduced.hasReference)
    #expect(reduced.divergence.kind == .lostTrampolineWord)
    #expect(try ReductionFixture.hits(reduced.tape) == ["f", "g", "<g", "<f"])
  }

  @Test func `a tape on which nothing diverges cannot be reduced`() throws {
    let bytes = try longjmpAmongCalls(1)
    #expect(throws: ReductionError.noDivergence) {
      try ReductionFixture.reduce(bytes, .modelOfTape)
    }
  }

  @Test func `stopped at any time, it gives the best so far`() throws {
    let bytes = try longjmpAmongCalls(30, threads: 2)
    let whole = try ReductionFixture.reduce(bytes, ReductionFixture.e2)
    var sizes: [Int] = []
    for limit in [2, 6, 12, 1000] {
      var asked = 0
      let reduced = try ReductionFixture.reduce(bytes, ReductionFixture.e2) {
        asked += 1
        return asked > limit
      }
      #expect(reduced.isMinimal == (limit == 1000))
      let conclusion = try ReductionFixture.replay(reduced.tape, ReductionFixture.e2)
      #expect(conclusion.divergences.first?.kind == .wrongReturn)
      sizes.append(reduced.hits)
    }
    #expect(sizes == sizes.sorted(by: >))
    #expect(sizes.last == whole.hits)
    #expect(throws: ReductionError.stoppedEarly) {
      try ReductionFixture.reduce(bytes, ReductionFixture.e2) { true }
    }
  }

  @Test(arguments: UInt64(1)...6)
  func `nothing can be left out of what random programs come down to`(seed: UInt64) throws {
    let output = MemoryTapeOutput()
    var synthetic = SyntheticTape(SyntheticTape.Parameters(seed: seed, hits: 6000))
    var writer = try TapeWriter(header: synthetic.header, output: output)
    try synthetic.write(to: &writer)
    let bytes = output.bytes
    let reduced = try ReductionFixture.reduce(bytes, ReductionFixture.e2)
    let goal = reduced.divergence
    #expect(reduced.hits <= 10)

    /// Whether a tape diverges in the same way, and is one that the recording kernel could have made.
    func passes(_ tape: [UInt8]) throws -> Bool {
      let found = try ReductionFixture.replay(tape, ReductionFixture.e2).divergences.first
      let isLawful = try ReductionFixture.replay(tape, .modelOfTape).verdict == .match
      return found?.kind == goal.kind && found?.rule == goal.rule && isLawful
    }
    #expect(try passes(reduced.tape))
    for first in 0..<reduced.hits {
      #expect(!(try passes(try ReductionFixture.without([first], reduced.tape))))
      for second in first + 1..<max(first + 1, reduced.hits) {
        #expect(!(try passes(try ReductionFixture.without([first, second], reduced.tape))))
      }
    }
  }
}
