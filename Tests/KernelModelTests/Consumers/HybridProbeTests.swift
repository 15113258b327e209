import ProbeEvents
import Testing

@testable import KernelModel

@Suite("Holds on probes")
struct HybridProbeTests {
  /// A hold in each state.
  static func hold(_ state: HybridProbe.State) -> HybridProbe {
    var hold = HybridProbe()
    hold.state = state
    return hold
  }

  @Test("consuming takes the probe once, and says what to give back")
  func consume() {
    let expected: [HybridProbe.State: (Bool, HybridProbe.Release)] = [
      .leased: (true, .endLease), .stable: (true, .dropReference), .gone: (false, .nothing),
      .consumed: (false, .nothing),
    ]
    for state in HybridProbe.State.allCases {
      var hold = Self.hold(state)
      let (isThere, release) = hold.consume()
      #expect(isThere == expected[state]?.0 && release == expected[state]?.1)
      #expect(hold.state == .consumed)
    }
  }

  @Test("a lease ends in a reference or in nothing; other holds do not change")
  func expire() {
    for state in HybridProbe.State.allCases {
      for isAlive in [false, true] {
        for forCopy in [false, true] {
          var hold = Self.hold(state)
          let (isThere, references) = hold.expire(isAlive: isAlive, forCopy: forCopy)
          let copies = forCopy ? 1 : 0
          switch state {
          case .leased:
            #expect(hold.state == (isAlive ? .stable : .gone))
            #expect(isThere == isAlive && references == (isAlive ? 1 + copies : 0))
          case .stable:
            #expect(hold.state == .stable && isThere && references == copies)
          case .gone, .consumed:
            #expect(hold.state == state && !isThere && references == 0)
          }
        }
      }
    }
  }

  @Test("a child's hold is by reference or none")
  func copies() {
    #expect(HybridProbe(stable: true).state == .stable)
    #expect(HybridProbe(stable: false).state == .gone)
  }

  @Test("the timer runs out 100 ms after the last push, once")
  func timer() {
    var timer = ReturnInstanceTimer()
    #expect(timer.expires(byMilliseconds: .max) == false)
    timer.arm(atMilliseconds: 1000)
    timer.arm(atMilliseconds: 1050)
    #expect(timer.expires(byMilliseconds: 1100) == false)
    #expect(timer.expires(byMilliseconds: 1149) == false)
    #expect(timer.expires(byMilliseconds: 1150) == true)
    #expect(timer.expires(byMilliseconds: 1150) == false)
  }

  @Test("a probe that loses its last consumer keeps the returns of leases, then of references")
  func unregisteredMeanwhile() throws {
    for (delay, waitsFirst) in [(0, false), (200, false), (200, true)] as [(UInt64, Bool)] {
      var kernel = TestKernel(.e7)
      let registration = try kernel.register(TestKernel.both)
      #expect(kernel.hit(0x110) == .hit(.stepping))
      _ = kernel.endStep()
      #expect(kernel.task.pending.map(\.hold.state) == [.leased])
      if waitsFirst { kernel.uprobes.pass(toMilliseconds: delay, &kernel.task) }
      kernel.uprobes.unregister(registration)
      if !waitsFirst { kernel.uprobes.pass(toMilliseconds: delay, &kernel.task) }
      let expected: HybridProbe.State = delay == 0 ? .leased : waitsFirst ? .stable : .gone
      #expect(kernel.task.pending.map(\.hold.state) == [expected])
      // Its session has left in any case, so no handler runs; the task returns all the same.
      let outcome = kernel.returns()
      #expect(outcome == .hit(.trampoline(.returned(to: TestKernel.caller), handlers: [])))
      kernel.uprobes.runDeferredWork()
      #expect(kernel.uprobes.probes.isEmpty)
    }
  }
}
