/// Somebody who wants to know about hits of a probe.
///
/// Kernel: include/linux/uprobes.h `struct uprobe_consumer`
public struct Consumer: Sendable, Hashable {
  /// Which address spaces a consumer wants breakpoints in.
  public enum Filter: Sendable, Hashable {
    /// All: the consumer has no filter.
    case none
    /// Those with the given numbers.
    case spaces([Int])
  }

  /// The number it got when it was registered; 0 before (`id`, since 6.13).
  public internal(set) var identity: UInt64 = 0
  /// Whether it has an entry handler.
  public var hasHandler: Bool
  /// Whether it has a return handler.
  public var hasReturnHandler: Bool
  /// Which address spaces it wants breakpoints in.
  public var filter: Filter

  /// A consumer.
  public init(hasHandler: Bool, hasReturnHandler: Bool, filter: Filter = .none) {
    self.hasHandler = hasHandler
    self.hasReturnHandler = hasReturnHandler
    self.filter = filter
  }

  /// Whether its two handlers belong together (since 6.13).
  public var isSession: Bool { hasHandler && hasReturnHandler }

  /// Whether it wants breakpoints in an address space.
  ///
  /// Kernel: kernel/events/uprobes.c consumer_filter()
  public func wants(space: Int) -> Bool {
    switch filter {
    case .none: true
    case .spaces(let spaces): spaces.contains(space)
    }
  }
}
