import ProbeEvents
import Testing

@testable import KernelModel

@Suite("Return handlers")
struct ReturnHandlerTests {
  static let session = HandlerChainTests.consumer(3, true, true)
  static let pure = HandlerChainTests.consumer(2, false, true)
  static let entry = HandlerChainTests.consumer(1, true, false)

  @Test("until 6.12 all return handlers registered by now run, without cookies")
  func registered() {
    for epoch in Epoch.allCases where epoch < .e6 {
      let calls = HandlerChainTests.rules(epoch).returnHandlers(
        of: [Self.session, Self.pure, Self.entry],
        waiting: [ReturnConsumer(consumer: 3, cookie: 5)])
      #expect(calls == [ReturnHandlerCall(consumer: 3), ReturnHandlerCall(consumer: 2)])
    }
  }

  @Test("since 6.13 a session runs only if it waits, with its cookie, a pure consumer always")
  func sessions() {
    for epoch in Epoch.allCases where epoch >= .e6 {
      let rules = HandlerChainTests.rules(epoch)
      let consumers = [Self.session, Self.pure, Self.entry]
      #expect(
        rules.returnHandlers(
          of: consumers, waiting: [ReturnConsumer(consumer: 3, cookie: 5)])
          == [ReturnHandlerCall(consumer: 3, cookie: 5), ReturnHandlerCall(consumer: 2)])
      #expect(
        rules.returnHandlers(of: consumers, waiting: []) == [ReturnHandlerCall(consumer: 2)])
    }
  }

  @Test("sessions that came late or left do not disturb the others")
  func lateAndGone() {
    let rules = HandlerChainTests.rules(.e7)
    let consumers = [6, 5, 3, 1].map { HandlerChainTests.consumer($0, true, true) }
    let waiting = [5, 4, 3, 1].map { ReturnConsumer(consumer: $0, cookie: $0 * 10) }
    #expect(
      rules.returnHandlers(of: consumers, waiting: waiting)
        == [5, 3, 1].map { ReturnHandlerCall(consumer: $0, cookie: $0 * 10) })
  }

  @Test("what waits is searched once through, from the last one found on")
  func order() {
    let calls = HandlerChainTests.rules(.e7).returnHandlers(
      of: [5, 3].map { HandlerChainTests.consumer($0, true, true) },
      waiting: [3, 5].map { ReturnConsumer(consumer: $0, cookie: $0 * 10) })
    #expect(calls.map(\.consumer) == [5])
    #expect(calls.map(\.cookie) == [50])
  }

  @Test("a number that does not fit an int is not found any more")
  func wideNumbers() {
    let rules = HandlerChainTests.rules(.e7)
    for (number, isFound) in [
      (UInt64(Int32.max), true), (UInt64(Int32.max) + 1, false), (1 << 32 | 3, false),
    ] {
      let calls = rules.returnHandlers(
        of: [HandlerChainTests.consumer(number, true, true)],
        waiting: [ReturnConsumer(consumer: number, cookie: 1)])
      #expect(calls.isEmpty == !isFound)
    }
  }

  @Test("a consumer without filter wants every process, one with a filter those it names")
  func filters() {
    var consumer = Self.entry
    #expect(consumer.wants(space: 4))
    consumer.filter = .spaces([1, 2])
    #expect(consumer.wants(space: 2) && !consumer.wants(space: 4))
    consumer.filter = .spaces([])
    #expect(!consumer.wants(space: 0))
  }
}
