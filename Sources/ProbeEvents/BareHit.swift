/// A hit without its registers and its stack window, which are passed beside it: the form in which
/// a recorder hands hits on, straight from where the kernel has put them.
public struct BareHit: Sendable, BitwiseCopyable {
  /// Entry or return.
  public var kind: HitKind
  /// What is special about the registers.
  public var flags: HitFlags
  /// The CPU it happened on.
  public var cpu: UInt16
  /// Index in the tape's probe table.
  public var probe: UInt32
  /// The thread it happened in.
  public var thread: ThreadIdentity
  /// CLOCK_MONOTONIC, nanoseconds.
  public var time: UInt64
  /// See ``Hit/function``.
  public var function: Address

  /// A hit.
  public init(
    kind: HitKind, flags: HitFlags, cpu: UInt16, probe: UInt32, thread: ThreadIdentity,
    time: UInt64, function: Address
  ) {
    self.kind = kind
    self.flags = flags
    self.cpu = cpu
    self.probe = probe
    self.thread = thread
    self.time = time
    self.function = function
  }

  /// What there is of a hit beside its registers.
  public init(_ hit: Hit) {
    self.init(
      kind: hit.kind, flags: hit.flags, cpu: hit.cpu, probe: hit.probe, thread: hit.thread,
      time: hit.time, function: hit.function)
  }
}

extension Hit {
  /// A hit with its registers, by column: at most ``RegisterFile/capacity``.
  public init(_ bare: BareHit, registers: Span<UInt64>) {
    self.init(
      kind: bare.kind, flags: bare.flags, cpu: bare.cpu, probe: bare.probe, thread: bare.thread,
      time: bare.time, function: bare.function, registers: RegisterFile())
    for column in registers.indices { self.registers[column] = registers[column] }
  }
}
