public import ProbeEvents

extension X86_64 {
  /// The return address that the kernel reads from the stack.
  ///
  /// Kernel: arch/x86/kernel/uprobes.c arch_uretprobe_hijack_return_addr(), sizeof_long()
  @inlinable @inline(__always)
  static func returnAddress(
    _ cause: EntryCause, wordSize: ReturnProbeRules.CompatWordSize
  ) -> Address {
    guard cause.isCompat else { return cause.returnAddress }
    switch wordSize {
    case .four: return cause.returnAddress & 0xffff_ffff
    case .eight: return cause.returnAddress
    }
  }
}
