import KernelModel
import ProbeEvents
import Testing

@Suite("Optimised probes")
struct KprobeOptimizerTests {
  let fork = KprobeFixture.fork
  let read = KprobeFixture.read

  func fixture() -> KprobeFixture {
    var text = KprobeFixture.text()
    text.jumps = [fork..<fork + 7, read..<read + 5]
    return KprobeFixture(.k10, text: text) { $1.canOptimize = true }
  }

  func state(_ fixture: KprobeFixture) -> KprobeEntry.Optimization? {
    fixture.entry(fork)?.optimization
  }

  @Test("a probe that can be is replaced by a jump when the optimiser runs, under a manager")
  func optimize() throws {
    var fixture = fixture()
    _ = try fixture.probe(fork)
    #expect(fixture.entry(fork)?.isAggregate == true)
    #expect(state(fixture) == .queued)
    fixture.kernel.runOptimizer()
    #expect(state(fixture) == .done)
    _ = try fixture.probe(KprobeFixture.write)
    #expect(fixture.entry(KprobeFixture.write)?.isAggregate == false)
    #expect(fixture.entry(KprobeFixture.write)?.optimization == .impossible)
  }

  @Test("a post-handler, a neighbour, being disabled or a switch keep a probe from being optimised")
  func notOptimized() throws {
    var withPost = fixture()
    _ = try withPost.probe(fork, [.pre, .post])
    #expect(state(withPost) == .prepared)

    var withNeighbour = fixture()
    _ = try withNeighbour.probe(fork + 3)
    _ = try withNeighbour.probe(fork)
    #expect(state(withNeighbour) == .prepared)

    var distant = fixture()
    _ = try distant.probe(fork + 7)
    _ = try distant.probe(fork)
    #expect(state(distant) == .queued)

    var disabled = fixture()
    _ = try disabled.probe(fork, flags: .disabled)
    #expect(state(disabled) == .prepared)

    var switchedOff = fixture()
    switchedOff.kernel.setOptimization(false)
    _ = try switchedOff.probe(fork)
    #expect(state(switchedOff) == .prepared)
    switchedOff.kernel.setOptimization(true)
    #expect(state(switchedOff) == .queued)

    var off = fixture()
    off.kernel.disarmAll()
    _ = try off.probe(fork)
    #expect(state(off) == .prepared)

    var incapable = fixture()
    incapable.kernel.configuration.canOptimize = false
    _ = try incapable.probe(fork)
    #expect(state(incapable) == .impossible)
  }

  @Test("a probe inside of the jump, or a post-handler, takes the jump out at once")
  func forced() throws {
    var neighbour = fixture()
    _ = try neighbour.probe(fork)
    neighbour.kernel.runOptimizer()
    let inside = try neighbour.probe(fork + 3)
    #expect(state(neighbour) == .prepared)
    // It does not come back with the neighbour's going: when that is looked at, the neighbour does
    // not count as disabled yet. Any later reason brings it back.
    neighbour.kernel.unregister(inside)
    #expect(state(neighbour) == .prepared)
    neighbour.kernel.setOptimization(false)
    neighbour.kernel.setOptimization(true)
    #expect(state(neighbour) == .queued)

    var post = fixture()
    _ = try post.probe(fork)
    post.kernel.runOptimizer()
    let second = try post.probe(fork, [.pre, .post])
    #expect(state(post) == .prepared)
    post.kernel.unregister(second)
    #expect(state(post) == .queued)
  }

  @Test("a jump has neighbours from its second byte to its last, not at its end")
  func neighbours() throws {
    for (distance, isInside) in [(1, true), (6, true), (7, false)] as [(UInt64, Bool)] {
      var before = fixture()
      _ = try before.probe(fork + distance)
      _ = try before.probe(fork)
      #expect(state(before) == (isInside ? .prepared : .queued))

      var after = fixture()
      _ = try after.probe(fork)
      after.kernel.runOptimizer()
      _ = try after.probe(fork + distance)
      #expect(state(after) == (isInside ? .prepared : .done))
    }
  }

  @Test("switching all probes off waits for the optimiser")
  func disarmAllWaits() throws {
    var fixture = fixture()
    let id = try fixture.probe(fork)
    fixture.kernel.runOptimizer()
    try fixture.kernel.disable(id)
    #expect(state(fixture) == .unqueued)
    fixture.kernel.disarmAll()
    #expect(state(fixture) == .prepared)
    #expect(fixture.entry(fork)?.isArmed == false)
  }

  @Test("detours lie behind all copies, each with room for a copy of its own")
  func places() throws {
    var fixture = fixture()
    for address in [fork, read] { _ = try fixture.probe(address) }
    let entries = [fork, read].compactMap { fixture.entry($0) }
    #expect(entries.map(\.instruction.slot) == [KprobeFixture.slots, KprobeFixture.slots + 16])
    let detours = KprobeFixture.slots + 0x10_0000
    #expect(entries.map(\.instruction.detour) == [detours, detours + 256])
    // What becomes free is taken first.
    fixture.kernel.unregister(try #require(entries[1].members.first))
    fixture.kernel.runOptimizer()
    _ = try fixture.probe(read)
    #expect(fixture.entry(read)?.instruction == entries[1].instruction)
  }

  @Test("a disabled probe keeps its jump until the optimiser runs")
  func lazy() throws {
    var fixture = fixture()
    let id = try fixture.probe(fork)
    fixture.kernel.runOptimizer()
    try fixture.kernel.disable(id)
    #expect(state(fixture) == .unqueued)
    #expect(fixture.entry(fork)?.isArmed == true)
    // Its handlers do not run any more.
    let entry = try #require(fixture.kernel.table.lookUp(fork))
    let registers = KprobeRegisters(instructionPointer: fork)
    #expect(
      fixture.kernel.optimizedHit(entry, registers, on: &fixture.processor) == .resume(registers))
    try fixture.kernel.enable(id)
    #expect(state(fixture) == .done)
    try fixture.kernel.disable(id)
    fixture.kernel.runOptimizer()
    #expect(state(fixture) == .prepared)
    #expect(fixture.entry(fork)?.isArmed == false)
  }

  @Test func `a jump that waits to be taken out goes at once when a probe comes inside of it`()
    throws
  {
    var fixture = fixture()
    let id = try fixture.probe(fork)
    fixture.kernel.runOptimizer()
    try fixture.kernel.disable(id)
    _ = try fixture.probe(fork + 3)
    #expect(state(fixture) == .leaving)
    fixture.kernel.runOptimizer()
    #expect(state(fixture) == .prepared)
    #expect(fixture.entry(fork)?.isArmed == false)
  }

  @Test("one that was only queued is just taken off the list")
  func queued() throws {
    var fixture = fixture()
    let id = try fixture.probe(fork)
    try fixture.kernel.disable(id)
    #expect(state(fixture) == .prepared)
    #expect(fixture.entry(fork)?.isArmed == false)
  }

  @Test("an entry without probes waits for the optimiser, and can be taken back until then")
  func reuse() throws {
    var fixture = fixture()
    let first = try fixture.probe(fork)
    fixture.kernel.runOptimizer()
    fixture.kernel.unregister(first)
    #expect(fixture.entry(fork)?.members == [])
    #expect(state(fixture) == .unqueued)
    let second = try fixture.probe(fork)
    #expect(fixture.entry(fork)?.members == [second])
    #expect(state(fixture) == .done)
    let detour = try #require(fixture.entry(fork)?.instruction.detour)
    fixture.kernel.unregister(second)
    fixture.kernel.runOptimizer()
    #expect(fixture.entry(fork) == nil)
    // Its detour is free for the next.
    _ = try fixture.probe(read)
    #expect(fixture.entry(read)?.instruction.detour == detour)
  }

  @Test("switching optimisation off takes all jumps out")
  func switchOff() throws {
    var fixture = fixture()
    _ = try fixture.probe(fork)
    _ = try fixture.probe(read)
    fixture.kernel.runOptimizer()
    fixture.kernel.setOptimization(false)
    #expect(state(fixture) == .prepared)
    #expect(fixture.entry(read)?.optimization == .prepared)
    #expect(fixture.entry(fork)?.isArmed == true)
  }

  @Test("switching all probes off takes jumps out at once")
  func disarmAll() throws {
    var fixture = fixture()
    _ = try fixture.probe(fork)
    fixture.kernel.runOptimizer()
    fixture.kernel.disarmAll()
    #expect(state(fixture) == .prepared)
    #expect(fixture.entry(fork)?.isArmed == false)
    fixture.kernel.armAll()
    #expect(state(fixture) == .queued)
  }

  @Test("a hit through the jump runs all pre-handlers, whatever they return, and nothing else")
  func hit() throws {
    var fixture = fixture()
    let first = try fixture.probe(fork)
    _ = try fixture.probe(fork)
    let third = try fixture.probe(fork)
    try fixture.kernel.disable(third)
    fixture.kernel.runOptimizer()
    fixture.results = [0: 1, 1: 1]
    let entry = try #require(fixture.kernel.table.lookUp(fork))
    let outcome = fixture.kernel.optimizedHit(
      entry, KprobeRegisters(instructionPointer: 0x42), on: &fixture.processor)
    guard case .call(_, let registers) = outcome else {
      Issue.record("no handler was called")
      return
    }
    #expect(registers.instructionPointer == fork + 1)
    #expect(fixture.processor.running == .entry(entry) && fixture.processor.status == .active)
    #expect(fixture.answer(outcome) == .resume(registers))
    #expect(fixture.log == ["optimizedPre 1", "optimizedPre 0"])
    #expect(fixture.processor.running == .none)
    fixture.processor.beginBusy()
    _ = fixture.kernel.optimizedHit(entry, registers, on: &fixture.processor)
    #expect(fixture.missed(first) == 1)
    #expect(fixture.missed(third) == 1)
  }

  @Test("a breakpoint met while the jump is put in leads to the detour")
  func detour() throws {
    var fixture = fixture()
    _ = try fixture.probe(fork)
    let detour = try #require(fixture.entry(fork)?.instruction.detour)
    let outcome = fixture.answer(fixture.hit(fork))
    #expect(outcome.resumed?.instructionPointer == detour)
    #expect(fixture.processor.running == .none)
    fixture.processor.beginBusy()
    #expect(fixture.hit(fork).resumed?.instructionPointer == detour)
    #expect(fixture.processor.running == .busy)
  }

  @Test("a killed probe's jump is forgotten; an entry without probes is left to the optimiser")
  func killed() throws {
    var fixture = fixture()
    let id = try fixture.probe(fork)
    fixture.kernel.runOptimizer()
    fixture.kernel.freedInitialText(fork..<fork + 1)
    #expect(state(fixture) == .impossible)
    #expect(fixture.kernel.table[id]?.flags.contains(.gone) == true)
    // Its detour is free at once, and the entry gets another when it is probed anew.
    _ = try fixture.probe(read)
    #expect(fixture.entry(read)?.instruction.detour == KprobeFixture.slots + 0x10_0000)
    _ = try fixture.probe(fork)
    #expect(state(fixture) == .queued)
    #expect(fixture.entry(fork)?.instruction.detour == KprobeFixture.slots + 0x10_0100)

    var waiting = self.fixture()
    _ = try waiting.probe(fork)
    #expect(state(waiting) == .queued)
    waiting.kernel.freedInitialText(fork..<fork + 1)
    #expect(state(waiting) == .impossible)

    var unused = self.fixture()
    let other = try unused.probe(fork)
    unused.kernel.runOptimizer()
    unused.kernel.unregister(other)
    unused.kernel.freedInitialText(fork..<fork + 1)
    #expect(state(unused) == .leaving)
    let late = unused.kernel.declare(Kprobe(address: fork))
    #expect(refusal { () throws(KprobeError) in try unused.kernel.register(late) } == .reserved)
    unused.kernel.runOptimizer()
    #expect(unused.entry(fork)?.members == [])
  }

  @Test func `a probe that found no place for a detour gets one together with a second probe`()
    throws
  {
    var fixture = fixture()
    let jumps = fixture.kernel.text.jumps
    fixture.kernel.text.jumps = []
    _ = try fixture.probe(fork)
    #expect(fixture.entry(fork)?.isAggregate == false)
    fixture.kernel.text.jumps = jumps
    _ = try fixture.probe(fork)
    // The second one of two does not ask for the jump: it is armed already.
    #expect(state(fixture) == .prepared)
  }
}
