/// Why the kernel refuses something about a kprobe.
///
/// Kernel: kernel/kprobes.c register_kprobe(), register_kretprobe(), and arch_prepare_kprobe() of
/// the architecture
public enum KprobeError: Error, Sendable, Hashable, CaseIterable {
  /// Both an address and a symbol, or neither.
  case addressXorSymbol
  /// There is no such symbol.
  case symbolNotFound
  /// The address belongs to no symbol (5.18).
  case addressWithoutSymbol
  /// The function's first bytes cannot be read (x86-64, 5.18).
  case entryUnreadable
  /// This very probe is registered already.
  case alreadyRegistered
  /// Inside the function tracer's call, not at its start.
  case insideFtraceCall
  /// At the function tracer's call, in a kernel that cannot probe by it.
  case ftraceUnavailable
  /// Neither the kernel's nor a module's text.
  case notText
  /// On the blacklist.
  case blacklisted
  /// A place the kernel patches, or that something else needs.
  case reserved
  /// The module is on its way out.
  case moduleGoing
  /// The module's initialisation code is freed already.
  case moduleInitFreed
  /// Text that depends on the processor's features (x86-64).
  case alternatives
  /// Not at the start of an instruction (x86-64), or at one that traps.
  case notAnInstruction
  /// Not a multiple of four (arm64).
  case misaligned
  /// An instruction whose faults have a fix-up (arm64).
  case inExceptionTable
  /// An instruction that cannot be copied (both architectures).
  case instructionRejected
  /// An instruction that can be neither stepped nor emulated (x86-64, breakpoint stepping).
  case notEmulated
  /// No place behind the copy for the breakpoint (x86-64).
  case noRoom
  /// No slot for the copy, or no memory.
  case noMemory
  /// A second probe with a break handler at one address (until 4.18).
  case secondBreakHandler
  /// Not registered.
  case notRegistered
  /// Its module is gone.
  case gone
  /// No probes in the batch.
  case emptyBatch
  /// A return probe that is not at a function's entry.
  case notFunctionEntry
  /// A function that must not be return-probed (`__switch_to`).
  case returnBlacklisted
  /// More private data per return instance than the kernel gives.
  case dataTooLarge

  /// The kernel's error number, positive.
  public var errno: Int32 {
    switch self {
    case .symbolNotFound, .addressWithoutSymbol, .moduleGoing, .moduleInitFreed: 2  // ENOENT
    case .dataTooLarge: 7  // E2BIG
    case .noMemory: 12  // ENOMEM
    case .secondBreakHandler: 17  // EEXIST
    case .addressXorSymbol, .entryUnreadable, .alreadyRegistered, .ftraceUnavailable, .notText,
      .blacklisted, .reserved, .alternatives, .misaligned, .inExceptionTable,
      .instructionRejected, .notRegistered, .gone, .emptyBatch, .notFunctionEntry,
      .returnBlacklisted:
      22  // EINVAL
    case .noRoom: 28  // ENOSPC
    case .insideFtraceCall, .notAnInstruction: 84  // EILSEQ
    case .notEmulated: 95  // EOPNOTSUPP
    }
  }
}
