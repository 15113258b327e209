internal import ProbeEvents

extension Uprobes {
  /// Places a probe's breakpoint.
  ///
  /// The flag is set in advance: a task may run into the breakpoint at once, and would get an ordinary
  /// SIGTRAP if nobody had told that the process has probes.
  ///
  /// Kernel: kernel/events/uprobes.c install_breakpoint()
  mutating func install(
    _ probe: UprobeIdentity, in space: Int, at address: Address
  ) throws(UprobeRefusal) {
    try prepare(probe, space: space, at: address)
    let isFirst = !spaces[space].hasUprobes
    spaces[space].hasUprobes = true
    do throws(UprobeRefusal) {
      try writeBreakpoint(of: probe, in: space, at: address)
    } catch {
      if isFirst { spaces[space].hasUprobes = false }
      throw error
    }
    spaces[space].recalculates = false
  }

  /// Removes a probe's breakpoint. Whether the process has others is looked into later.
  ///
  /// Kernel: kernel/events/uprobes.c remove_breakpoint()
  mutating func remove(
    _ probe: UprobeIdentity, from space: Int, at address: Address
  ) throws(UprobeRefusal) {
    spaces[space].recalculates = true
    try restoreInstruction(of: probe, in: space, at: address)
  }

  /// Copies and analyses the probe's instruction, the first time a breakpoint is placed. Everything
  /// after that takes it as analysed, whatever the address and the mode of the process.
  ///
  /// Kernel: kernel/events/uprobes.c prepare_uprobe(), copy_insn()
  mutating func prepare(
    _ probe: UprobeIdentity, space: Int, at address: Address
  ) throws(UprobeRefusal) {
    guard let index = probeIndex(probe), !probes[index].hasCopiedInstruction else { return }
    let offset = probes[index].offset
    guard let file = files.first(where: { $0.inode == probes[index].inode }),
      offset < file.sizeBytes
    else { throw .nothingToCopy }
    let instruction = file.instructions[offset] ?? .undecodable
    guard !instruction.isBreakpoint else { throw .breakpointInFile }
    probes[index].treatment = try rules.analyzeInstruction(
      instruction, at: address, isCompat: spaces[space].isCompat)
  }

  /// Writes the breakpoint instruction. One that is there already counts as written, whoever put it
  /// there, and moves no reference counter.
  ///
  /// Kernel: kernel/events/uprobes.c set_swbp(), uprobe_write_opcode(), verify_opcode();
  /// arch/x86/kernel/uprobes.c set_swbp() (6.18)
  mutating func writeBreakpoint(
    of probe: UprobeIdentity, in space: Int, at address: Address
  ) throws(UprobeRefusal) {
    switch spaces[space].contents(at: address) {
    case .unreadable: throw .memoryGone
    case .breakpoint: return
    case .optimizedCall:
      if let index = probeIndex(probe), shouldOptimize(probes[index]) { return }
    case .zeroPage: throw .zeroPage
    case .original: break
    }
    try updateCounter(of: probe, in: space, by: 1)
    guard allocate() else {
      // The first error is the one that counts.
      try? updateCounter(of: probe, in: space, by: -1)
      throw .outOfMemory
    }
    spaces[space].sites[address] = .breakpoint
  }

  /// Writes the original instruction back, over a breakpoint or a call. Anything else was changed by
  /// somebody else and is left alone.
  ///
  /// Kernel: kernel/events/uprobes.c set_orig_insn(), uprobe_write_opcode(), verify_opcode();
  /// arch/x86/kernel/uprobes.c set_orig_insn(), swbp_unoptimize() (6.18)
  mutating func restoreInstruction(
    of probe: UprobeIdentity, in space: Int, at address: Address
  ) throws(UprobeRefusal) {
    switch spaces[space].contents(at: address) {
    case .unreadable: throw .memoryGone
    case .original, .zeroPage: return
    case .optimizedCall:
      guard let index = probeIndex(probe), probes[index].treatment?.canBeOptimized == true else {
        return
      }
    case .breakpoint: break
    }
    try updateCounter(of: probe, in: space, by: -1)
    guard allocate() else { throw .outOfMemory }
    spaces[space].sites[address] = nil
  }
}
