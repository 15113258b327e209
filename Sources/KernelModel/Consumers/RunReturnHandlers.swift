/// A return handler that runs.
public struct ReturnHandlerCall: Sendable, Hashable, BitwiseCopyable {
  /// The consumer's number.
  public var consumer: UInt64
  /// What its entry handler left for it; nil when there is no such thing.
  public var cookie: UInt64?

  /// A run of a return handler.
  public init(consumer: UInt64, cookie: UInt64? = nil) {
    self.consumer = consumer
    self.cookie = cookie
  }
}

extension UprobeRules {
  /// Which return handlers run for one return instance, in order.
  ///
  /// Until 6.12 those registered by now, whether or not they were when the call was entered. Since
  /// 6.13 a session only if its entry handler ran for the call; consumers with a return handler
  /// alone as before. What return handlers return is ignored by all kernels.
  ///
  /// - Parameters:
  ///   - consumers: those of the probe by now, newest first; none when the probe is gone.
  ///   - waiting: the sessions recorded at entry, in the same order.
  ///
  /// Kernel: kernel/events/uprobes.c handle_uretprobe_chain(), return_consumer_find()
  public func returnHandlers(
    of consumers: [Consumer], waiting: [ReturnConsumer]
  ) -> [ReturnHandlerCall] {
    var calls: [ReturnHandlerCall] = []
    // Both lists have the same order, so each search goes on where the last one ended.
    var rest = waiting[...]
    for consumer in consumers where consumer.hasReturnHandler {
      switch handlerChain {
      case .removeBit, .removeBitFiltered:
        calls.append(ReturnHandlerCall(consumer: consumer.identity))
      case .sessions:
        // The kernel compares with an int, which is too narrow for the number.
        let searched = UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: consumer.identity)))
        let found = rest.firstIndex { $0.consumer == searched }
        if let found {
          calls.append(
            ReturnHandlerCall(consumer: consumer.identity, cookie: rest[found].cookie))
          rest = rest[(found + 1)...]
        } else if !consumer.isSession {
          calls.append(ReturnHandlerCall(consumer: consumer.identity))
        }
      }
    }
    return calls
  }
}
