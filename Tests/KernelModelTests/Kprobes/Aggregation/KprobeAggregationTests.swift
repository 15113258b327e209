import KernelModel
import ProbeEvents
import Testing

@Suite("Several probes at one address")
struct KprobeAggregationTests {
  let fork = KprobeFixture.fork

  @Test(
    "handlers run newest first, pre-handlers as well as post-handlers",
    arguments: KprobeEpoch.allCases, Architecture.allCases)
  func order(epoch: KprobeEpoch, architecture: Architecture) throws {
    var fixture = KprobeFixture(epoch, architecture)
    for _ in 0..<3 { _ = try fixture.probe(fork, [.pre, .post]) }
    #expect(fixture.run(fork) != nil)
    #expect(fixture.log == ["pre 2", "pre 1", "pre 0", "post 2", "post 1", "post 0"])
    #expect(fixture.processor.running == .none)
    #expect(fixture.processor.instance == nil)
  }

  @Test(
    "a pre-handler that returns non-zero stops the rest and all post-handlers",
    arguments: KprobeEpoch.allCases, Architecture.allCases)
  func stops(epoch: KprobeEpoch, architecture: Architecture) throws {
    var fixture = KprobeFixture(epoch, architecture)
    for _ in 0..<3 { _ = try fixture.probe(fork, [.pre, .post]) }
    fixture.results[1] = 1
    let outcome = fixture.answer(fixture.hit(fork))
    #expect(outcome == .resume(fixture.trapped(at: fork)))
    #expect(fixture.log == ["pre 2", "pre 1"])
  }

  @Test("disabled members are passed over, and all are counted as missed")
  func disabled() throws {
    var fixture = KprobeFixture()
    let ids = [
      try fixture.probe(fork, [.pre, .post]), try fixture.probe(fork, [.pre, .post]),
      try fixture.probe(fork, .post),
    ]
    try fixture.kernel.disable(ids[1])
    #expect(fixture.entry(fork)?.isArmed == true)
    _ = fixture.run(fork)
    #expect(fixture.log == ["pre 0", "post 2", "post 0"])
    fixture.processor.beginBusy()
    _ = fixture.hit(fork)
    #expect(ids.map { fixture.missed($0) } == [1, 1, 1])
  }

  @Test("the breakpoint goes with the last enabled member and comes with the first")
  func arming() throws {
    var fixture = KprobeFixture()
    let first = try fixture.probe(fork)
    let second = try fixture.probe(fork)
    try fixture.kernel.disable(first)
    #expect(fixture.entry(fork)?.isArmed == true)
    try fixture.kernel.disable(second)
    #expect(fixture.entry(fork)?.isArmed == false)
    // A third one brings it back.
    let third = try fixture.probe(fork)
    #expect(fixture.entry(fork)?.isArmed == true)
    try fixture.kernel.disable(third)
    _ = try fixture.probe(fork, flags: .disabled)
    #expect(fixture.entry(fork)?.isArmed == false)
    try fixture.kernel.enable(first)
    #expect(fixture.entry(fork)?.isArmed == true)
  }

  @Test("the manager stays when one member is left, and goes with the last")
  func managerStays() throws {
    var fixture = KprobeFixture()
    let first = try fixture.probe(fork)
    let second = try fixture.probe(fork)
    #expect(fixture.entry(fork)?.isAggregate == true)
    fixture.kernel.unregister(first)
    #expect(fixture.entry(fork)?.isAggregate == true)
    #expect(fixture.entry(fork)?.members == [second])
    #expect(fixture.entry(fork)?.isArmed == true)
    fixture.kernel.unregister(second)
    #expect(fixture.entry(fork) == nil)
  }

  @Test("the manager has a post-handler as long as a member has one")
  func postHandler() throws {
    var fixture = KprobeFixture()
    _ = try fixture.probe(fork)
    let second = try fixture.probe(fork, [.post])
    let third = try fixture.probe(fork, [.pre, .post])
    #expect(fixture.entry(fork)?.hasPostHandler == true)
    fixture.kernel.unregister(third)
    #expect(fixture.entry(fork)?.hasPostHandler == true)
    fixture.kernel.unregister(second)
    #expect(fixture.entry(fork)?.hasPostHandler == false)
    #expect(fixture.run(fork) != nil)
    #expect(fixture.log == ["pre 0"])
  }

  @Test("until 4.18 a probe with a break handler is last, and there can be only one")
  func breakHandlers() throws {
    for epoch in KprobeEpoch.allCases {
      var fixture = KprobeFixture(epoch)
      let first = try fixture.probe(fork)
      let jprobe = try fixture.probe(fork, [.pre, .breakpoint])
      let second = fixture.kernel.declare(Kprobe(address: fork, handlers: [.pre, .breakpoint]))
      let error = refusal { () throws(KprobeError) in try fixture.kernel.register(second) }
      // All have the copy of the first, also one that is refused afterwards.
      for id in [first, jprobe, second] {
        #expect(fixture.kernel.table[id]?.instruction == fixture.entry(fork)?.instruction)
      }
      if epoch < .k2 {
        #expect(error == .secondBreakHandler)
        #expect(fixture.entry(fork)?.members == [first, jprobe])
      } else {
        #expect(error == nil)
        #expect(fixture.entry(fork)?.members == [second, jprobe, first])
      }
    }
  }

  @Test("a member that is removed while its handler runs does not end the walk")
  func removedDuringWalk() throws {
    var fixture = KprobeFixture()
    _ = try fixture.probe(fork)
    let middle = try fixture.probe(fork)
    _ = try fixture.probe(fork)
    let first = fixture.hit(fork)
    #expect(first.called?.probe.rawValue == 2)
    let second = fixture.kernel.handlerReturned(
      0, fixture.trapped(at: fork), on: &fixture.processor)
    #expect(second.called?.probe == middle)
    fixture.kernel.unregister(middle)
    _ = try fixture.probe(fork)
    let third = fixture.kernel.handlerReturned(
      0, fixture.trapped(at: fork), on: &fixture.processor)
    #expect(third.called?.probe.rawValue == 0)
  }
}
