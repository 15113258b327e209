/// The kernel's own list of a task's pending returns at one moment, read while recording.
///
/// Kernel: include/linux/uprobes.h `struct uprobe_task` (`return_instances`, `depth`).
public struct Witness: Sendable, Hashable {
  /// When the list was read.
  public enum Moment: UInt8, Sendable, Hashable, CaseIterable {
    /// At an entry hit, before the kernel deals with the new call.
    case entry = 0
    /// At a return hit. Since 6.11 the instance that returns is off the list by then.
    case `return` = 1
    /// When the task has reached the trampoline, before the kernel deals with it.
    case beforeTrampoline = 2
    /// When the kernel is done with the trampoline.
    case afterTrampoline = 3
  }

  /// Whose list it is.
  public var thread: ThreadIdentity
  /// When it was read; for a hit: it comes right before that hit on the tape.
  public var moment: Moment
  /// The kernel's count (`depth`).
  public var depth: UInt32
  /// The list, oldest first: at most ``limit``, the newest ones.
  public var instances: [WitnessedInstance]

  /// The most instances that are read. The kernel makes no more than 64.
  public static var limit: Int { 127 }

  /// A list.
  public init(
    thread: ThreadIdentity, moment: Moment, depth: UInt32, instances: [WitnessedInstance]
  ) {
    self.thread = thread
    self.moment = moment
    self.depth = depth
    self.instances = instances
  }
}

/// One entry of the kernel's list.
///
/// Kernel: include/linux/uprobes.h `struct return_instance`.
public struct WitnessedInstance: Sendable, Hashable, BitwiseCopyable {
  /// The probed address (`func`).
  public var function: Address
  /// The stack pointer at the probed instruction (`stack`).
  public var stackPointer: Address
  /// Where the call really returns to (`orig_ret_vaddr`).
  public var originalReturnAddress: Address
  /// `chained`.
  public var isChained: Bool

  /// An entry of the list.
  public init(
    function: Address, stackPointer: Address, originalReturnAddress: Address, isChained: Bool
  ) {
    self.function = function
    self.stackPointer = stackPointer
    self.originalReturnAddress = originalReturnAddress
    self.isChained = isChained
  }
}
