import ProbeEvents
import Testing

@testable import KernelModel

@Suite("Entry handlers")
struct HandlerChainTests {
  static func consumer(_ identity: UInt64, _ hasHandler: Bool, _ hasReturn: Bool) -> Consumer {
    var consumer = Consumer(hasHandler: hasHandler, hasReturnHandler: hasReturn)
    consumer.identity = identity
    return consumer
  }

  static func rules(_ epoch: Epoch) -> UprobeRules {
    UprobeRules(epoch: epoch, architecture: .x86_64)
  }

  /// The rules of facts told the other way round: from the list of results.
  static func expected(
    _ epoch: Epoch, _ consumers: [(handler: Bool, returns: Bool, result: Int32)]
  ) -> (removes: Bool, returns: Bool, waiting: [UInt64], warned: [UInt64]) {
    let results = consumers.map { $0.handler ? $0.result : 0 }
    let isNew = epoch >= .e6
    let removes =
      !results.isEmpty && results.allSatisfy { isNew ? $0 == 1 : $0 % 2 != 0 }
    let wanting = consumers.indices.filter {
      consumers[$0].returns && (!isNew || (results[$0] != 1 && results[$0] != 2))
    }
    let waiting = wanting.filter { isNew && consumers[$0].handler }
    let warned = consumers.indices.filter {
      consumers[$0].handler
        && (isNew ? !(0...2).contains(results[$0]) : !(0...1).contains(results[$0]))
    }
    return (
      removes, !wanting.isEmpty && !removes, waiting.map(UInt64.init), warned.map(UInt64.init)
    )
  }

  @Test("every combination of two consumers and their results", arguments: Epoch.allCases)
  func combinations(epoch: Epoch) {
    let results: [Int32] = [0, 1, 2, 3, 4, -1, -2]
    var kinds: [(handler: Bool, returns: Bool, result: Int32)] = [(false, true, 0)]
    for result in results { kinds += [(true, false, result), (true, true, result)] }
    var lists: [[(handler: Bool, returns: Bool, result: Int32)]] = [[]] + kinds.map { [$0] }
    for first in kinds { lists += kinds.map { [first, $0] } }
    for list in lists {
      let consumers = list.enumerated().map {
        Self.consumer(UInt64($0.offset), $0.element.handler, $0.element.returns)
      }
      let conclusion = Self.rules(epoch).runHandlerChain(consumers) {
        HandlerCall(HandlerResult(rawValue: list[Int($0.identity)].result), cookie: $0.identity + 9)
      }
      let expected = Self.expected(epoch, list)
      #expect(conclusion.asksForRemoval == expected.removes, "\(list)")
      #expect(conclusion.wantsReturn == expected.returns, "\(list)")
      #expect(
        conclusion.waiting
          == expected.waiting.map { ReturnConsumer(consumer: $0, cookie: $0 + 9) }, "\(list)")
      #expect(conclusion.warned == expected.warned, "\(list)")
      #expect(
        conclusion.ran == list.indices.filter { list[$0].handler }.map(UInt64.init), "\(list)")
    }
  }

  @Test("without consumers nothing is removed and nothing returns", arguments: Epoch.allCases)
  func none(epoch: Epoch) {
    let conclusion = Self.rules(epoch).runHandlerChain([]) { _ in HandlerCall(.remove) }
    #expect(conclusion == HandlerChainConclusion())
  }
}
