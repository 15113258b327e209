/// What a run of all entry handlers of a probe decided.
public struct HandlerChainConclusion: Sendable, Hashable {
  /// The numbers of the consumers whose entry handlers ran, in order.
  public var ran: [UInt64] = []
  /// Of those, the ones whose result made the kernel warn.
  public var warned: [UInt64] = []
  /// Whether a return instance is to be made.
  public var wantsReturn = false
  /// The sessions that wait for the return; empty before 6.13.
  public var waiting: [ReturnConsumer] = []
  /// Whether all asked for the breakpoint to leave this address space.
  public var asksForRemoval = false
}

extension UprobeRules {
  /// Runs the entry handlers of all consumers, newest first, and adds up what they returned.
  ///
  /// A consumer without an entry handler counts as one that wants to stay. A return instance and a
  /// removal never come of the same hit.
  ///
  /// - Parameter handle: runs one handler.
  ///
  /// Kernel: kernel/events/uprobes.c handler_chain(), push_consumer()
  public func runHandlerChain(
    _ consumers: [Consumer], handle: (Consumer) -> HandlerCall
  ) -> HandlerChainConclusion {
    var conclusion = HandlerChainConclusion()
    // Without consumers there is nothing to remove: the last one has just left.
    var removes = !consumers.isEmpty
    var anyReturnHandler = false
    for consumer in consumers {
      var call = HandlerCall()
      if consumer.hasHandler {
        call = handle(consumer)
        conclusion.ran.append(consumer.identity)
        if !call.result.isKnown(handlerChain) { conclusion.warned.append(consumer.identity) }
      }
      removes = removes && call.result.asksForRemoval(handlerChain)
      guard consumer.hasReturnHandler else { continue }
      switch handlerChain {
      case .removeBit, .removeBitFiltered:
        anyReturnHandler = true
      case .sessions:
        guard call.result != .remove, call.result != .ignoreReturn else { continue }
        anyReturnHandler = true
        if consumer.isSession {
          conclusion.waiting.append(
            ReturnConsumer(consumer: consumer.identity, cookie: call.cookie))
        }
      }
    }
    conclusion.asksForRemoval = removes
    conclusion.wantsReturn = anyReturnHandler && !removes
    return conclusion
  }
}
