public import ProbeEvents

/// What a tape says about its recording as a whole, written before the first hit.
public struct TapeHeader: Sendable, Hashable {
  /// The kernel it was recorded on.
  public var kernel: KernelFacts
  /// The probe table; hits name probes by their index here.
  public var probes: [Probe]
  /// The command recorded, program first; empty when the recorder attached to running processes.
  public var command: [String]
  /// The processes attached to; empty when a command was launched.
  public var attachedProcesses: [Int32]
  /// Stack window asked for, in bytes.
  public var stackBytes: UInt32
  /// CLOCK_REALTIME at the start, nanoseconds since 1970.
  public var startRealTime: UInt64
  /// CLOCK_MONOTONIC at the same moment, nanoseconds.
  public var startTime: UInt64
  /// From when on every hit is on the tape (CLOCK_MONOTONIC nanoseconds): 0 for a launched command.
  public var wholeFrom: UInt64
  /// The program that wrote the tape, with its version.
  public var writer: String
  /// The steps from a recording to this tape, first to last; empty when a recorder wrote it.
  public var derivations: [TapeDerivation]

  /// A header.
  public init(
    kernel: KernelFacts, probes: [Probe], command: [String] = [], attachedProcesses: [Int32] = [],
    stackBytes: UInt32, startRealTime: UInt64 = 0, startTime: UInt64 = 0, wholeFrom: UInt64 = 0,
    writer: String = "probetape", derivations: [TapeDerivation] = []
  ) {
    self.kernel = kernel
    self.probes = probes
    self.command = command
    self.attachedProcesses = attachedProcesses
    self.stackBytes = stackBytes
    self.startRealTime = startRealTime
    self.startTime = startTime
    self.wholeFrom = wholeFrom
    self.writer = writer
    self.derivations = derivations
  }
}
