import KernelModel
import ProbeEvents
import Testing

/// Which member of an aggregate a processor takes for the running one, and for how long.
extension KprobeHitTests {
  /// A processor on which a member of an aggregate sent the processor elsewhere, which leaves the
  /// member on record.
  private func left(_ epoch: KprobeEpoch) throws -> (KprobeFixture, KprobeID) {
    var fixture = KprobeFixture(epoch)
    let id = try fixture.probe(fork, [.pre, .breakpoint])
    _ = try fixture.probe(fork, [])
    fixture.results[id.rawValue] = 1
    _ = fixture.answer(fixture.hit(fork))
    #expect(fixture.processor.instance == id)
    return (fixture, id)
  }

  @Test func `an aggregate forgets whose turn it was even if no member has a pre-handler`() throws {
    var (fixture, id) = try left(.k8)
    _ = try fixture.probe(read, [])
    #expect(fixture.hit(read).resumed != nil)
    // A probe that is alone never looks at the record.
    #expect(fixture.processor.instance == id)

    (fixture, id) = try left(.k8)
    for _ in 0..<2 { _ = try fixture.probe(read, []) }
    #expect(fixture.hit(read).resumed != nil)
    #expect(fixture.processor.instance == nil)
  }

  @Test func `a break handler is called even if its probe was disabled meanwhile`() throws {
    var (fixture, id) = try left(.k1)
    try fixture.kernel.disable(id)
    let outcome = fixture.hit(write)
    #expect(outcome.called?.handler == .breakpoint)
    #expect(outcome.called?.probe == id)
  }

  @Test func `a stray breakpoint under a member without a break handler ends its turn`() throws {
    for hasBreakHandler in [true, false] {
      var fixture = KprobeFixture(.k1)
      _ = try fixture.probe(fork, hasBreakHandler ? [.pre, .breakpoint] : [.pre])
      let id = try fixture.probe(fork, [.pre, .fault])
      #expect(fixture.hit(fork).called?.probe == id)
      // Whoever asks for its fault handler next finds that no member is running, if the manager
      // was asked for a break handler.
      #expect(fixture.hit(write) == .declined)
      #expect(fixture.processor.instance == (hasBreakHandler ? nil : id))
      let fault = fixture.kernel.fault(fixture.trapped(at: read), on: &fixture.processor)
      #expect(fault.called?.handler == (hasBreakHandler ? nil : .fault))
    }
  }

  @Test(arguments: [KprobeHandlers.fault, .breakpoint])
  func `a hit calls no handler that is for something else`(handlers: KprobeHandlers) throws {
    for isAggregate in [true, false] {
      var fixture = KprobeFixture(.k1)
      _ = try fixture.probe(fork, handlers)
      if isAggregate { _ = try fixture.probe(fork, []) }
      #expect(fixture.run(fork) != nil)
      #expect(fixture.log == [])
    }
  }

  @Test func `a processor that has met no probe has no flags to give back`() throws {
    var fixture = KprobeFixture()
    #expect(fixture.processor.savedFlags == 0)
    #expect(fixture.processor.oldFlags == 0)
    // Nor has one that counts as busy, after a hit it missed.
    _ = try fixture.probe(fork)
    fixture.processor.beginBusy()
    let stepping = try #require(fixture.hit(fork, flags: 0x200).resumed)
    _ = fixture.endStep(stepping, length: 1)
    #expect(fixture.processor.savedFlags == 0)
    #expect(fixture.processor.oldFlags == 0)
  }
}
