public import ProbeEvents

/// One probe, as its owner keeps it.
///
/// Kernel: include/linux/kprobes.h `struct kprobe`
public struct Kprobe: Sendable, Hashable {
  /// Where it is (`addr`). Given by the owner or found by the symbol; the kernel clears it when an
  /// unregistration fails.
  public var address: Address?
  /// The function it was asked for (`symbol_name`).
  public var symbol: String?
  /// How far into the function, in bytes (`offset`).
  public var offset: UInt64
  /// Which handlers it has.
  public var handlers: KprobeHandlers
  /// Its state (`flags`).
  public var flags: KprobeFlags
  /// How often it was hit without its handlers being run (`nmissed`).
  public internal(set) var missed: UInt64 = 0
  /// The instruction at the probe, with what the kernel made of it (`opcode`, `ainsn`); nil before
  /// registration.
  public internal(set) var instruction: PreparedInstruction?

  /// A probe at an address or at a function. To give both or neither is refused on registration,
  /// not here.
  public init(
    address: Address? = nil, symbol: String? = nil, offset: UInt64 = 0,
    handlers: KprobeHandlers = [.pre], flags: KprobeFlags = []
  ) {
    self.address = address
    self.symbol = symbol
    self.offset = offset
    self.handlers = handlers
    self.flags = flags
  }
}

/// Names a probe that was made known to a ``KprobeTable``; stands for the pointer to it.
public struct KprobeID: Sendable, Hashable, BitwiseCopyable {
  /// Its number, in the order in which probes were made known.
  public let rawValue: Int

  init(_ rawValue: Int) { self.rawValue = rawValue }
}

/// The handlers of a probe, all optional.
public struct KprobeHandlers: OptionSet, Sendable, Hashable {
  /// One bit for each.
  public var rawValue: UInt8

  /// A set from its bits.
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Before the instruction (`pre_handler`).
  public static let pre = KprobeHandlers(rawValue: 1)
  /// After the instruction (`post_handler`).
  public static let post = KprobeHandlers(rawValue: 2)
  /// When one of the other two faults (`fault_handler`, see ``KprobeRules/HandlerFault``).
  public static let fault = KprobeHandlers(rawValue: 4)
  /// At a breakpoint that is nobody's (`break_handler`, see ``KprobeRules/BreakHandlers``).
  public static let breakpoint = KprobeHandlers(rawValue: 8)
}

/// The state of a probe.
///
/// Kernel: include/linux/kprobes.h KPROBE_FLAG_GONE and the following
public struct KprobeFlags: OptionSet, Sendable, Hashable {
  /// One bit for each.
  public var rawValue: UInt32

  /// A set from its bits.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// The text it was in is gone.
  public static let gone = KprobeFlags(rawValue: 1)
  /// Its handlers are not to be run. The only flag an owner can set.
  public static let disabled = KprobeFlags(rawValue: 2)
  /// A jump takes the place of the breakpoint, or soon will.
  public static let optimized = KprobeFlags(rawValue: 4)
  /// The function tracer takes the place of the breakpoint.
  public static let ftrace = KprobeFlags(rawValue: 8)
  /// It is at a function's entry (5.18).
  public static let onFunctionEntry = KprobeFlags(rawValue: 16)
}
