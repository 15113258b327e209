public import ProbeEvents

/// A return probe: a probe at a function's entry that has the function return to a trampoline.
///
/// Kernel: include/linux/kprobes.h `struct kretprobe`
public struct Kretprobe: Sendable, Hashable {
  /// The probe at the entry; its pre-handler is the kernel's.
  public let probe: KprobeID
  /// Whether it has a handler for the return (`handler`).
  public var hasHandler: Bool
  /// Whether it has a handler for the entry, which can decline (`entry_handler`).
  public var hasEntryHandler: Bool
  /// How many calls can be pending at a time (`maxactive`); 0 or less lets the kernel choose.
  public var instanceLimit: Int
  /// Bytes of private data per call (`data_size`).
  public var dataSize: Int
  /// How many instances are free.
  public internal(set) var free = 0
  /// How many entries got no instance (`nmissed`).
  public internal(set) var missed: UInt64 = 0
  /// Whether it is registered. An instance of one that is not runs no handler.
  public internal(set) var isAlive = false
  /// How often it was registered, by which its instances know whether they are still wanted.
  var registration = 0
}

/// Names a return probe.
public struct KretprobeID: Sendable, Hashable, BitwiseCopyable {
  /// Its number.
  public let rawValue: Int

  init(_ rawValue: Int) { self.rawValue = rawValue }
}

/// One pending return of a return-probed function.
///
/// Kernel: include/linux/kprobes.h `struct kretprobe_instance`
public struct KretprobeInstance: Sendable, Hashable, BitwiseCopyable {
  /// Whose.
  public var owner: KretprobeID
  /// The address that was replaced: the trampoline if another return probe was first.
  public var returnAddress: Address
  /// The stack frame (`fp`).
  public var frame: Address
  /// The registration of the owner it belongs to.
  var registration: Int
}

/// The pending returns of one task, newest first.
public struct KretprobeTask: Sendable, Hashable {
  /// The instances.
  public internal(set) var instances: [KretprobeInstance] = []

  /// A task without any.
  public init() {}
}

/// What comes of the entry of a return-probed function.
public enum KretprobeEntry: Sendable, Hashable {
  /// It will return to the trampoline.
  case hooked
  /// The entry handler declined.
  case declined
  /// There was no instance for it, or there could be none.
  case missed
}

/// What comes of an arrival at the trampoline.
public enum KretprobeArrival: Sendable, Hashable {
  /// The task goes on at an address, after these return probes' handlers have run.
  case returned(to: Address, handlers: [KretprobeID])
  /// Nobody knows where it was to return to: the kernel stops.
  case stopped
}
