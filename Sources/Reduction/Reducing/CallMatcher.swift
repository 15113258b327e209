import ProbeEvents

/// Tells which return answers which entry, by what the tape shows alone: the newest open call of that
/// probe and function whose slot the return came through. No handler is asked.
struct CallMatcher {
  /// A call that may still return.
  struct Open {
    var probe: UInt32
    var function: Address
    var slot: Address
    /// Whatever the user of the matcher calls it by.
    var call: Int
  }

  /// A thread's open calls that are remembered, the newest ones. A program that leaves calls by jumps
  /// for ever would have any number.
  static let openMax = 4096

  private(set) var open: [ThreadIdentity: [Open]] = [:]
  private let architecture: Architecture

  init(_ architecture: Architecture) {
    self.architecture = architecture
  }

  /// The newest open call of a thread.
  func newest(_ thread: ThreadIdentity) -> Int? { open[thread]?.last?.call }

  /// An entry begins a call.
  mutating func enter(
    _ thread: ThreadIdentity, probe: UInt32, function: Address, slot: Address, call: Int
  ) {
    var calls = open[thread] ?? []
    if calls.count == Self.openMax { calls.removeFirst(Self.openMax / 4) }
    calls.append(Open(probe: probe, function: function, slot: slot, call: call))
    open[thread] = calls
  }

  /// The call that returns; nil when the tape has no such entry. Newer calls that lie below it on the
  /// stack were left by a jump.
  mutating func leave(
    _ thread: ThreadIdentity, probe: UInt32, function: Address, stackPointer: Address,
    wordSize: UInt64
  ) -> Int? {
    guard var calls = open[thread] else { return nil }
    func fits(_ call: Open) -> Bool { call.probe == probe && call.function == function }
    let slot =
      switch architecture {
      case .x86_64: stackPointer &- wordSize
      case .aarch64: stackPointer
      }
    let place = calls.lastIndex { fits($0) && $0.slot == slot } ?? calls.lastIndex(where: fits)
    guard let place else { return nil }
    let found = calls[place]
    // A chain of tail calls shares the slot: its other calls return next.
    let newer = calls[(place + 1)...].filter { $0.slot >= found.slot }
    calls.removeSubrange(place...)
    calls += newer
    open[thread] = calls
    return found.call
  }

  /// A new task has its parent's open calls where it has a copy of the stack.
  mutating func fork(_ fork: TaskFork) {
    let isThread = fork.child.process == fork.parent.process
    open[fork.child] = isThread ? nil : open[fork.parent]
  }

  /// A new program, or no task any more.
  mutating func end(_ thread: ThreadIdentity) {
    open[thread] = nil
  }
}
