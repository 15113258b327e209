/// Listeners that are told of an event in turn until one stops it.
///
/// Kernel: kernel/notifier.c notifier_chain_register(), notifier_call_chain()
public struct NotifierChain: Sendable, Hashable {
  /// One listener.
  public struct Listener: Sendable, Hashable {
    /// Its name.
    public var name: String
    /// Its priority; higher ones are told first.
    public var priority: Int32
  }

  /// The listeners, in the order in which they are told.
  public private(set) var listeners: [Listener] = []

  /// A chain without listeners.
  public init() {}

  /// Adds a listener behind those of the same priority.
  public mutating func register(_ name: String, priority: Int32) {
    let index = listeners.firstIndex { $0.priority < priority } ?? listeners.endIndex
    listeners.insert(Listener(name: name, priority: priority), at: index)
  }

  /// The listeners that are told, given those that would stop an event.
  public func told(stoppedBy stops: Set<String>) -> [String] {
    var told: [String] = []
    for listener in listeners {
      told.append(listener.name)
      if stops.contains(listener.name) { break }
    }
    return told
  }
}
