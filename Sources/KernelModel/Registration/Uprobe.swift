/// A probed place in a file, once for all who are interested in it.
///
/// Kernel: kernel/events/uprobes.c `struct uprobe`
public struct Uprobe: Sendable {
  /// Which object it is.
  public let identity: UprobeIdentity
  /// The file.
  public let inode: UInt64
  /// The offset in the file, in bytes.
  public let offset: UInt64
  /// The offset of its reference counter in the file; 0 when it has none.
  public let referenceCounterOffset: UInt64
  /// How many hold on to it. What for is the rule's choice, see
  /// ``UprobeRules/ProbeLifetime-swift.enum``.
  public internal(set) var references: Int
  /// Whether it is in the table, where hits and registrations find it.
  public internal(set) var isActive = true
  /// Those who are interested, newest first.
  public internal(set) var consumers: [Consumer] = []
  /// What was decided about its instruction, once it was copied (`UPROBE_COPY_INSN`).
  public internal(set) var treatment: InstructionTreatment?
  /// Whether making its site a call was tried and failed; it is not tried again.
  public internal(set) var optimizationFailed = false

  /// Whether its instruction was copied and analysed.
  public var hasCopiedInstruction: Bool { treatment != nil }
}
