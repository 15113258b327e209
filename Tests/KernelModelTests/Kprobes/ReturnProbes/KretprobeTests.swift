import KernelModel
import ProbeEvents
import Testing

@Suite("Return probes of the kernel")
struct KretprobeTests {
  let fork = KprobeFixture.fork

  /// A fixture with registered return probes at one function.
  func fixture(
    _ epoch: KprobeEpoch = .k13, _ architecture: Architecture = .aarch64, count: Int = 1,
    limit: Int = 3, hasEntryHandler: Bool = false
  ) throws -> (KprobeFixture, [KretprobeID]) {
    var fixture = KprobeFixture(epoch, architecture)
    var ids: [KretprobeID] = []
    for _ in 0..<count {
      let id = fixture.kernel.declareReturnProbe(
        symbol: "_do_fork", hasEntryHandler: hasEntryHandler, instanceLimit: limit)
      try fixture.kernel.registerReturnProbe(id)
      ids.append(id)
    }
    return (fixture, ids)
  }

  @Test(
    "an entry replaces the return address, and the return runs the handler and goes on there",
    arguments: KprobeEpoch.allCases, Architecture.allCases)
  func life(epoch: KprobeEpoch, architecture: Architecture) throws {
    var (fixture, ids) = try fixture(epoch, architecture)
    var task = KretprobeTask()
    var address: Address = 0x1234
    let entry = fixture.kernel.enterReturnProbe(
      ids[0], returnAddress: &address, frame: 0x9000, in: &task)
    #expect(entry == .hooked)
    #expect(address == fixture.kernel.returnTrampoline)
    #expect(fixture.kernel[ids[0]]?.free == 2)
    let arrival = fixture.kernel.returnThroughTrampoline(frame: 0x9000, in: &task)
    #expect(arrival == .returned(to: 0x1234, handlers: ids))
    #expect(fixture.kernel[ids[0]]?.free == 3)
    #expect(task.instances == [])
  }

  @Test("the probe at the entry has the kernel's pre-handler and no other")
  func entryProbe() throws {
    var (fixture, ids) = try fixture()
    let probe = try #require(fixture.kernel[ids[0]]?.probe)
    #expect(fixture.kernel.table[probe]?.handlers == .pre)
    #expect(fixture.hit(fork).called?.probe == probe)
  }

  @Test(
    "two return probes at one function return together, the later one first",
    arguments: KprobeEpoch.allCases)
  func two(epoch: KprobeEpoch) throws {
    var (fixture, ids) = try fixture(epoch, count: 2)
    var task = KretprobeTask()
    var address: Address = 0x1234
    for id in ids {
      _ = fixture.kernel.enterReturnProbe(
        id, returnAddress: &address, frame: 0x9000, in: &task)
    }
    var outer: Address = 0x5678
    var other = task
    _ = fixture.kernel.enterReturnProbe(
      ids[0], returnAddress: &outer, frame: 0x8000, in: &other)
    #expect(other.instances.count == 3)
    #expect(
      fixture.kernel.returnThroughTrampoline(frame: 0x8000, in: &other)
        == .returned(to: 0x5678, handlers: [ids[0]]))
    #expect(
      fixture.kernel.returnThroughTrampoline(frame: 0x9000, in: &other)
        == .returned(to: 0x1234, handlers: [ids[1], ids[0]]))
  }

  @Test("without a free instance the return address stays and a miss is counted")
  func exhausted() throws {
    var (fixture, ids) = try fixture(limit: 2)
    var task = KretprobeTask()
    for index in 0..<4 as Range<UInt64> {
      var address = 0x1000 + index
      let entry = fixture.kernel.enterReturnProbe(
        ids[0], returnAddress: &address, frame: 0x9000 - index, in: &task)
      #expect(entry == (index < 2 ? .hooked : .missed))
      if index >= 2 { #expect(address == 0x1000 + index) }
    }
    #expect(fixture.kernel[ids[0]]?.missed == 2)
    // The count is the return probe's own, not that of the probe at the entry.
    let probe = try #require(fixture.kernel[ids[0]]?.probe)
    #expect(fixture.missed(probe) == 0)
  }

  @Test("an entry handler that declines gives the instance back")
  func declined() throws {
    for hasEntryHandler in [true, false] {
      var (fixture, ids) = try fixture(hasEntryHandler: hasEntryHandler)
      var task = KretprobeTask()
      var address: Address = 0x1234
      let entry = fixture.kernel.enterReturnProbe(
        ids[0], returnAddress: &address, frame: 1, handlerDeclines: true, in: &task)
      #expect(entry == (hasEntryHandler ? .declined : .hooked))
      #expect(fixture.kernel[ids[0]]?.free == (hasEntryHandler ? 3 : 2))
      #expect((address == 0x1234) == hasEntryHandler)
      var other: Address = 0x5678
      #expect(
        fixture.kernel.enterReturnProbe(ids[0], returnAddress: &other, frame: 1, in: &task)
          == .hooked)
    }
  }

  @Test(
    "in an NMI, and where memory cannot be reclaimed", arguments: KprobeEpoch.allCases,
    Architecture.allCases)
  func contexts(epoch: KprobeEpoch, architecture: Architecture) throws {
    var (fixture, ids) = try fixture(epoch, architecture)
    var task = KretprobeTask()
    var address: Address = 0x1234
    let inNMI = fixture.kernel.enterReturnProbe(
      ids[0], returnAddress: &address, frame: 1, isInNMI: true, in: &task)
    #expect(inNMI == (epoch >= .k1 && epoch < .k6 ? .missed : .hooked))
    let unwatched = fixture.kernel.enterReturnProbe(
      ids[0], returnAddress: &address, frame: 1, canBeFreed: false, in: &task)
    #expect(unwatched == (architecture == .x86_64 && epoch >= .k10 ? .missed : .hooked))
  }

  @Test(
    "calls that are pending when a return probe goes return without its handler",
    arguments: KprobeEpoch.allCases, Architecture.allCases)
  func unregistered(epoch: KprobeEpoch, architecture: Architecture) throws {
    var (fixture, ids) = try fixture(epoch, architecture)
    var task = KretprobeTask()
    var address: Address = 0x1234
    _ = fixture.kernel.enterReturnProbe(ids[0], returnAddress: &address, frame: 1, in: &task)
    fixture.kernel.unregisterReturnProbe(ids[0])
    #expect(fixture.entry(fork) == nil)
    // Registered anew, it knows nothing of the old call.
    let probe = try #require(fixture.kernel[ids[0]]?.probe)
    fixture.kernel.edit(probe) {
      $0.address = nil
      $0.flags = []
    }
    try fixture.kernel.registerReturnProbe(ids[0])
    #expect(
      fixture.kernel.returnThroughTrampoline(frame: 1, in: &task)
        == .returned(to: 0x1234, handlers: []))
    #expect(fixture.kernel[ids[0]]?.free == 3)
  }

  @Test(
    "instances of another stack frame", arguments: KprobeEpoch.allCases)
  func wrongFrame(epoch: KprobeEpoch) throws {
    var (fixture, ids) = try fixture(epoch, .aarch64, count: 2)
    var task = KretprobeTask()
    var outer: Address = 0x1111
    var inner: Address = 0x2222
    _ = fixture.kernel.enterReturnProbe(ids[0], returnAddress: &outer, frame: 0x9000, in: &task)
    _ = fixture.kernel.enterReturnProbe(ids[1], returnAddress: &inner, frame: 0x8000, in: &task)
    let arrival = fixture.kernel.returnThroughTrampoline(frame: 0x9000, in: &task)
    if epoch < .k4 {
      #expect(arrival == .returned(to: 0x2222, handlers: [ids[1]]))
      #expect(task.instances.count == 1)
    } else if epoch < .k7 {
      // The newer one is passed over, and stays.
      #expect(arrival == .returned(to: 0x1111, handlers: [ids[0]]))
      #expect(task.instances.map(\.owner) == [ids[1]])
    } else {
      // The newest decides where to, but its handler does not run.
      #expect(arrival == .returned(to: 0x2222, handlers: []))
      #expect(task.instances.map(\.owner) == [ids[0]])
    }
  }

  @Test("an arrival nobody knows the return address of stops the kernel")
  func nobody() throws {
    for epoch in KprobeEpoch.allCases {
      var (fixture, ids) = try fixture(epoch)
      var task = KretprobeTask()
      #expect(fixture.kernel.returnThroughTrampoline(frame: 1, in: &task) == .stopped)
      var trampoline = fixture.kernel.returnTrampoline
      _ = fixture.kernel.enterReturnProbe(
        ids[0], returnAddress: &trampoline, frame: 1, in: &task)
      #expect(fixture.kernel.returnThroughTrampoline(frame: 1, in: &task) == .stopped)
      #expect(task.instances.count == 1)
    }
  }

  @Test(arguments: KprobeEpoch.allCases)
  func `a return address of zero stops the kernel, whatever older calls know`(
    epoch: KprobeEpoch
  ) throws {
    var (fixture, ids) = try fixture(epoch)
    var task = KretprobeTask()
    for known in [0x1234, 0, fixture.kernel.returnTrampoline] {
      var address = known
      _ = fixture.kernel.enterReturnProbe(ids[0], returnAddress: &address, frame: 1, in: &task)
    }
    #expect(fixture.kernel.returnThroughTrampoline(frame: 1, in: &task) == .stopped)
    #expect(task.instances.count == 3)
  }

  @Test("a task that ends gives its instances back")
  func flush() throws {
    var (fixture, ids) = try fixture(count: 2)
    var task = KretprobeTask()
    var address: Address = 0x1234
    for id in ids {
      _ = fixture.kernel.enterReturnProbe(id, returnAddress: &address, frame: 1, in: &task)
    }
    fixture.kernel.unregisterReturnProbe(ids[1])
    fixture.kernel.flush(&task)
    #expect(task.instances == [])
    #expect(ids.map { fixture.kernel[$0]?.free } == [3, 0])
  }

  @Test("how many instances a return probe gets that does not say")
  func defaults() throws {
    for epoch in KprobeEpoch.allCases {
      for isPreemptible in [true, false] {
        for (processors, doubled) in [(1, 10), (5, 10), (6, 12), (64, 128)] {
          var fixture = KprobeFixture(epoch) {
            $1.processors = processors
            $1.isPreemptible = isPreemptible
          }
          let id = fixture.kernel.declareReturnProbe(symbol: "read")
          try fixture.kernel.registerReturnProbe(id)
          let expected = isPreemptible || epoch >= .k11 ? doubled : processors
          #expect(fixture.kernel[id]?.free == expected)
        }
      }
    }
  }

  @Test("what cannot be return-probed, and with which error", arguments: KprobeEpoch.allCases)
  func refusals(epoch: KprobeEpoch) throws {
    let isRecent = epoch >= .k10
    var fixture = KprobeFixture(epoch)
    func attempt(_ id: KretprobeID) -> KprobeError? {
      refusal { () throws(KprobeError) in try fixture.kernel.registerReturnProbe(id) }
    }
    #expect(
      attempt(fixture.kernel.declareReturnProbe(symbol: "read", offset: 1)) == .notFunctionEntry)
    #expect(
      attempt(fixture.kernel.declareReturnProbe(symbol: "no_such"))
        == (isRecent ? .symbolNotFound : .notFunctionEntry))
    #expect(
      attempt(fixture.kernel.declareReturnProbe())
        == (isRecent ? .addressXorSymbol : .notFunctionEntry))
    #expect(
      attempt(fixture.kernel.declareReturnProbe(symbol: "read", dataSize: 4097))
        == (isRecent ? .dataTooLarge : nil))
    #expect(attempt(fixture.kernel.declareReturnProbe(symbol: "read", dataSize: 4096)) == nil)
    let twice = fixture.kernel.declareReturnProbe(address: KprobeFixture.read)
    #expect(attempt(twice) == nil)
    #expect(attempt(twice) == .alreadyRegistered)
    // A refused one has no instances.
    let none = fixture.kernel.declareReturnProbe(address: 0x1000)
    #expect(attempt(none) != nil)
    #expect(fixture.kernel[none]?.free == 0)
  }

  @Test("while a return handler runs, probes are missed; afterwards all is as before")
  func handlerRuns() throws {
    for epoch in KprobeEpoch.allCases {
      var (fixture, ids) = try fixture(epoch)
      let other = try fixture.probe(KprobeFixture.read)
      // The processor has handled a probe before.
      _ = fixture.run(KprobeFixture.read)
      fixture.kernel.beginReturnHandler(ids[0], on: &fixture.processor)
      #expect(fixture.hit(KprobeFixture.read).called == nil)
      #expect(fixture.missed(other) == 1)
      fixture.processor.resetRunning()
      fixture.kernel.endReturnHandler(on: &fixture.processor)
      #expect(fixture.processor.running == .none)
    }
  }

  @Test("a return handler inside of a busy stretch leaves it busy, but for the first and rethook")
  func handlerWhileBusy() throws {
    for (epoch, architecture) in [
      (KprobeEpoch.k1, Architecture.aarch64), (.k4, .aarch64), (.k7, .x86_64), (.k10, .x86_64),
      (.k13, .aarch64),
    ] {
      var (fixture, ids) = try fixture(epoch, architecture)
      fixture.processor.beginBusy()
      fixture.kernel.beginReturnHandler(ids[0], on: &fixture.processor)
      fixture.kernel.endReturnHandler(on: &fixture.processor)
      let forgets = epoch < .k4 || (epoch == .k10 && architecture == .x86_64)
      #expect(fixture.processor.running == (forgets ? .none : .busy))
      // Ended once more, there is nothing left to go back to.
      fixture.kernel.endReturnHandler(on: &fixture.processor)
      #expect(fixture.processor.running == .none)
    }
  }

  @Test("a return probe that is not registered is not alive and has missed nothing")
  func declared() {
    var fixture = KprobeFixture()
    let id = fixture.kernel.declareReturnProbe(symbol: "_do_fork")
    let probe = fixture.kernel[id]
    #expect(probe?.isAlive == false && probe?.missed == 0 && probe?.free == 0)
    #expect(probe?.hasEntryHandler == false && probe?.dataSize == 0)
  }

  @Test("a limit of one is kept, and nobody declines who does not say so")
  func limitOfOne() throws {
    var (fixture, ids) = try fixture(limit: 1, hasEntryHandler: true)
    #expect(fixture.kernel[ids[0]]?.instanceLimit == 1)
    var task = KretprobeTask()
    var address: Address = 0x1234
    let entry = fixture.kernel.enterReturnProbe(
      ids[0], returnAddress: &address, frame: 0x9000, in: &task)
    #expect(entry == .hooked)
  }

  @Test("a return address of zero is nobody's, one is an address like any other")
  func lowAddresses() throws {
    for (low, expected) in [(0, KretprobeArrival.stopped), (1, nil)]
      as [(UInt64, KretprobeArrival?)]
    {
      var (fixture, ids) = try fixture()
      var task = KretprobeTask()
      var address = low
      _ = fixture.kernel.enterReturnProbe(
        ids[0], returnAddress: &address, frame: 0x9000, in: &task)
      let arrival = fixture.kernel.returnThroughTrampoline(frame: 0x9000, in: &task)
      #expect(arrival == expected ?? .returned(to: 1, handlers: ids))
    }
  }

  @Test("registering again is refused, since 5.18 before anything is counted anew")
  func twice() throws {
    for (epoch, missed) in [(KprobeEpoch.k9, UInt64(0)), (.k10, 1), (.k13, 1)] {
      var fixture = KprobeFixture(epoch, .aarch64)
      let id = fixture.kernel.declareReturnProbe(address: fork, instanceLimit: 1)
      try fixture.kernel.registerReturnProbe(id)
      var task = KretprobeTask()
      for _ in 0..<2 {
        var address: Address = 0x1234
        _ = fixture.kernel.enterReturnProbe(
          id, returnAddress: &address, frame: 0x9000, in: &task)
      }
      #expect(fixture.kernel[id]?.missed == 1)
      #expect(
        refusal { () throws(KprobeError) in try fixture.kernel.registerReturnProbe(id) }
          == .alreadyRegistered)
      #expect(fixture.kernel[id]?.missed == missed)
      #expect(fixture.kernel[id]?.free == 0)
    }
  }

  @Test("whatever handlers its probe was given, a return probe has the kernel's own")
  func ownHandlers() throws {
    var fixture = KprobeFixture()
    let id = fixture.kernel.declareReturnProbe(symbol: "_do_fork")
    let probe = try #require(fixture.kernel[id]?.probe)
    fixture.kernel.edit(probe) { $0.handlers = [.post] }
    try fixture.kernel.registerReturnProbe(id)
    #expect(fixture.kernel.table[probe]?.handlers == .pre)
  }
}
