public import ProbeEvents

/// How the system call of an optimised site ended.
public enum UprobeSyscallOutcome: Sendable, Hashable {
  /// It was made from elsewhere; the number is its error: ENXIO, or since 7.2 EPROTO.
  case refused(errno: Int32)
  /// What the trampoline pushed could not be read or written. SIGILL.
  case illegal
  /// The task goes on behind the site, or where a handler said.
  case returned
}

extension Uprobes {
  /// Handles a hit that comes by system call from an optimised site. Handlers see the registers as
  /// they were at the site. There is no instruction to execute: it was a nop.
  ///
  /// The trampoline has pushed `cx`, `r11` and `ax` above the return address. Afterwards the registers
  /// are those with which the task leaves the trampoline.
  ///
  /// Kernel: arch/x86/kernel/uprobes.c sys_uprobe() (6.18)
  public mutating func handleUprobeSyscall(
    _ task: inout ProbedTask, now: UInt64 = 0, memory: inout some UserMemory,
    handle: (Consumer, inout RegisterFile) -> HandlerCall
  ) -> UprobeSyscallOutcome {
    guard isInOptimizedTrampoline(task) else {
      return .refused(errno: rules.optimizedSites == .nop10 ? 71 : 6)
    }
    let bottom = task.registers[X86Register.sp]
    let columns = [X86Register.ax, X86Register.r11, X86Register.cx]
    var pushed: [UInt64] = []
    for number in 0..<4 {
      guard let word = memory.readWord(at: bottom &+ UInt64(number) * 8, bytes: 8) else {
        return illegal(&task)
      }
      pushed.append(word)
    }
    let site = pushed[3] &- optimizedSiteBytes
    for (column, word) in zip(columns, pushed) { task.registers[column] = word }
    task.registers[X86Register.ip] = site
    let top = bottom &+ 32 &+ optimizedSiteRedZone
    task.registers[X86Register.sp] = top

    handleOptimizedHit(&task, at: site, now: now, memory: &memory, handle: handle)

    let target =
      task.registers[X86Register.ip] == site ? pushed[3] : task.registers[X86Register.ip]
    task.registers[X86Register.ip] = target
    // With another stack pointer the task does not go through the trampoline again.
    guard task.registers[X86Register.sp] == top else { return .returned }
    let words = columns.map { task.registers[$0] } + [target]
    for (number, word) in words.enumerated() {
      guard memory.writeWord(word, at: bottom &+ UInt64(number) * 8, bytes: 8) else {
        return illegal(&task)
      }
    }
    return .returned
  }

  /// Kernel: kernel/events/uprobes.c handle_syscall_uprobe()
  private mutating func handleOptimizedHit(
    _ task: inout ProbedTask, at site: Address, now: UInt64, memory: inout some UserMemory,
    handle: (Consumer, inout RegisterFile) -> HandlerCall
  ) {
    guard case .probe(let probe) = findActiveProbe(in: task.space, at: site), ensureUtask(&task)
    else { return }
    runHandlers(&task, of: probe, now: now, memory: &memory, handle: handle)
  }

  /// Kernel: arch/x86/kernel/uprobes.c in_uprobe_trampoline()
  private func isInOptimizedTrampoline(_ task: ProbedTask) -> Bool {
    guard rules.optimizedSites != .none, spaces.indices.contains(task.space),
      spaces[task.space].hasOptimizedTrampoline,
      let page = spaces[task.space].optimizedTrampolinePlace
    else { return false }
    return task.registers[X86Register.ip] &- page < XOLArea.pageBytes
  }

  private func illegal(_ task: inout ProbedTask) -> UprobeSyscallOutcome {
    task.signals.append(.illegal)
    return .illegal
  }
}
