/// What an entry handler returned. Any number can be, which is why this is no enum.
///
/// Kernel: include/linux/uprobes.h `UPROBE_HANDLER_REMOVE`, `UPROBE_HANDLER_IGNORE`
public struct HandlerResult: RawRepresentable, Sendable, Hashable, BitwiseCopyable {
  /// The number.
  public let rawValue: Int32

  /// A number a handler returned.
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// Nothing to say.
  public static let keep = HandlerResult(rawValue: 0)
  /// Not interested in this address space any more.
  public static let remove = HandlerResult(rawValue: 1)
  /// Not interested in the return of this call (6.13).
  public static let ignoreReturn = HandlerResult(rawValue: 2)

  /// Whether the kernel accepts it without a warning.
  func isKnown(_ chain: UprobeRules.HandlerChain) -> Bool {
    switch chain {
    case .removeBit, .removeBitFiltered: rawValue & ~1 == 0
    case .sessions: 0...2 ~= rawValue
    }
  }

  /// Whether it counts as a wish for removal. Before sessions, any odd number did.
  func asksForRemoval(_ chain: UprobeRules.HandlerChain) -> Bool {
    switch chain {
    case .removeBit, .removeBitFiltered: rawValue & 1 == 1
    case .sessions: self == .remove
    }
  }
}

/// What came of one run of an entry handler.
public struct HandlerCall: Sendable, Hashable, BitwiseCopyable {
  /// What it returned.
  public var result: HandlerResult
  /// What it left for the return handler of the same call (6.13).
  public var cookie: UInt64

  /// A run of a handler.
  public init(_ result: HandlerResult = .keep, cookie: UInt64 = 0) {
    self.result = result
    self.cookie = cookie
  }
}

/// A session that waits for the return of one call.
///
/// Kernel: include/linux/uprobes.h `struct return_consumer` (6.13)
public struct ReturnConsumer: Sendable, Hashable, BitwiseCopyable {
  /// The consumer's number.
  public var consumer: UInt64
  /// What its entry handler left.
  public var cookie: UInt64
}
