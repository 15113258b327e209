/// The hits of one tape block, one array per field, indexed by hit.
///
/// This is the shape in which hits move from tape to judge: one call per block crosses the module
/// boundary, and fields nobody asked for stay empty.
public struct HitColumns: Sendable {
  /// Number of hits.
  public var count = 0
  /// Entry or return.
  public var kinds: [HitKind] = []
  /// What is special about the registers.
  public var flags: [HitFlags] = []
  /// Index in the tape's probe table.
  public var probes: [UInt32] = []
  /// Index in ``threadTable``.
  public var threads: [UInt32] = []
  /// The threads of this block.
  public var threadTable: [ThreadIdentity] = []
  /// Instruction pointers.
  public var instructionPointers: [Address] = []
  /// Stack pointers.
  public var stackPointers: [Address] = []
  /// Link registers; empty on architectures without one.
  public var linkRegisters: [Address] = []
  /// See ``Hit/function``.
  public var functions: [Address] = []
  /// The stack words of all windows, one window after the other, 8 bytes each, from each hit's
  /// stack pointer upwards.
  public var windowWords: [UInt64] = []
  /// Where each hit's window starts in ``windowWords``; one more element than hits.
  public var windowStarts: [UInt32] = [0]
  /// Which of the first eight words of each hit's window are ``markedWord``, the first word in the
  /// lowest bit; empty where the windows were not asked for, all 0 where no word was.
  public var marks: [UInt8] = []
  /// The stack word that ``marks`` are about.
  public var markedWord: UInt64 = 0
  /// CPUs; empty unless asked for.
  public var cpus: [UInt16] = []
  /// CLOCK_MONOTONIC nanoseconds; empty unless asked for.
  public var times: [UInt64] = []
  /// All registers, hit after hit, by column; empty unless asked for.
  public var registers: [UInt64] = []
  /// User stacks, in ``stackTable``, 0 for a hit without; empty unless asked for and on the tape.
  public var stacks: [StackReference] = []
  /// The frames of ``stacks``.
  public var stackTable = StackTable()
  /// Names of the functions that the frames lie in.
  public var stackSymbols = StackSymbols()
  /// Side events, each before the hit of its index (`count` for those after the last hit).
  public var sideEvents: [PositionedSideEvent] = []

  /// No hits.
  public init() {}
}

/// A side event with its place among the hits of a block.
public struct PositionedSideEvent: Sendable, Hashable {
  /// The hit it comes before.
  public var beforeHit: Int
  /// The event.
  public var event: TimedSideEvent

  /// A side event before a hit.
  public init(beforeHit: Int, event: TimedSideEvent) {
    self.beforeHit = beforeHit
    self.event = event
  }
}
