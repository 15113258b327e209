public import ProbeEvents

extension Uprobes {
  /// Adds an address space and returns its number: a program begins.
  public mutating func add(_ space: AddressSpace) -> Int {
    spaces.append(space)
    return spaces.count - 1
  }

  /// A mapping appears. The probes in it are placed where a consumer wants them; errors have nobody
  /// to go to.
  ///
  /// - Parameter isDying: whether the task has a fatal signal, so that placing breakpoints is
  ///   pointless.
  ///
  /// Kernel: kernel/events/uprobes.c uprobe_mmap(), build_probe_list()
  public mutating func mapped(_ mapping: Mapping, in space: Int, isDying: Bool = false) {
    guard spaces.indices.contains(space), mapping.start < mapping.end else { return }
    spaces[space].mappings.append(mapping)
    guard probes.contains(where: \.isActive) else { return }
    if mapping.inode != nil, mapping.isWritable, !mapping.isShared, spaces[space].hasUprobes {
      countDelayed(in: space, mapping: mapping)
    }
    guard mapping.isValid(registering: true) else { return }
    for probe in probes where probe.isActive && probe.inode == mapping.inode {
      guard let address = mapping.address(of: probe.offset), !isDying,
        filterChain(probe.identity, space: space)
      else { continue }
      try? install(probe.identity, in: space, at: address)
    }
  }

  /// A range of addresses disappears. If there were probes in it, whether others are left is looked
  /// into at the next hit that finds none.
  ///
  /// Kernel: kernel/events/uprobes.c uprobe_munmap()
  public mutating func unmapped(from start: Address, to end: Address, in space: Int) {
    guard spaces.indices.contains(space), start < end else { return }
    for mapping in spaces[space].mappings where mapping.start < end && start < mapping.end {
      noticeUnmapping(
        of: mapping, from: max(start, mapping.start), to: min(end, mapping.end), in: space)
    }
    spaces[space].mappings = spaces[space].mappings.flatMap { $0.without(start, end) }
    spaces[space].sites = spaces[space].sites.filter { $0.key < start || $0.key >= end }
    spaces[space].counters = spaces[space].counters.filter { $0.key < start || $0.key >= end }
  }

  private mutating func noticeUnmapping(
    of mapping: Mapping, from start: Address, to end: Address, in space: Int
  ) {
    guard probes.contains(where: \.isActive), mapping.isValid(registering: false) else { return }
    let memory = spaces[space]
    guard !memory.isDying, memory.hasUprobes, !memory.recalculates else { return }
    if hasProbes(mapping, from: start, to: end) { spaces[space].recalculates = true }
  }

  /// Whether the table has a probe in a part of a mapping.
  ///
  /// Kernel: kernel/events/uprobes.c vma_has_uprobes()
  func hasProbes(_ mapping: Mapping, from start: Address, to end: Address) -> Bool {
    guard start < end else { return false }
    let first = mapping.offset(of: start)
    let last = first &+ (end - start - 1)
    return probes.contains {
      $0.isActive && $0.inode == mapping.inode && first <= $0.offset && $0.offset <= last
    }
  }

  /// A mapping moves. Its pages move with it, and so do the breakpoints in them.
  ///
  /// Kernel: mm/mremap.c move_vma(); kernel/events/uprobes.c uprobe_munmap() of the old place
  public mutating func moved(mappingAt start: Address, to target: Address, in space: Int) {
    guard spaces.indices.contains(space),
      let old = spaces[space].mappings.first(where: { $0.start == start }), old.start < old.end
    else { return }
    let length = old.end - old.start
    let (end, isOverflowing) = target.addingReportingOverflow(length)
    guard !isOverflowing, target >= old.end || end <= old.start else { return }
    let sites = spaces[space].sites.filter { old.contains($0.key) }
    let counters = spaces[space].counters.filter { old.contains($0.key) }
    unmapped(from: target, to: end, in: space)
    unmapped(from: old.start, to: old.end, in: space)
    var new = old
    new.start = target
    new.end = end
    spaces[space].mappings.append(new)
    for (address, contents) in sites {
      spaces[space].sites[address &- start &+ target] = contents
    }
    for (address, count) in counters {
      spaces[space].counters[address &- start &+ target] = count
    }
  }

  /// The process asks to move its XOL page. Until 6.12 it could, and the kernel went on believing
  /// that the page was where it had put it.
  ///
  /// Kernel: kernel/events/uprobes.c xol_mremap() (6.13)
  public func checkXOLPageMove() throws(UprobeRefusal) {
    switch rules.xolPageMove {
    case .unnoticed: return
    case .refused: throw .notMovable
    }
  }

  /// A child with a copy of the memory begins; its number. Breakpoints are copied like everything
  /// else, wanted or not. The page for copies of instructions is not, and that of the trampoline for
  /// optimised sites only since 7.2 (d9a48e77f6fe "uprobes/x86: Allow to copy uprobe trampolines on
  /// fork").
  ///
  /// Kernel: kernel/events/uprobes.c uprobe_dup_mmap()
  public mutating func duplicated(_ space: Int) -> Int? {
    guard spaces.indices.contains(space), !spaces[space].isDying else { return nil }
    var child = spaces[space]
    child.xolArea = nil
    child.recalculates = child.hasUprobes
    switch rules.optimizedSites {
    case .none, .nop5: child.hasOptimizedTrampoline = false
    case .nop10: break
    }
    return add(child)
  }

  /// A process replaces its program: it gets other memory under the same number.
  ///
  /// Kernel: fs/exec.c exec_mmap(), kernel/events/uprobes.c uprobe_clear_state()
  public mutating func replaced(_ space: Int, by memory: AddressSpace) {
    guard spaces.indices.contains(space) else { return }
    delayedCounters.removeAll { $0.space == space }
    spaces[space] = memory
  }

  /// The last task of a process has ended.
  ///
  /// Kernel: kernel/events/uprobes.c uprobe_clear_state()
  public mutating func ended(_ space: Int) {
    guard spaces.indices.contains(space) else { return }
    delayedCounters.removeAll { $0.space == space }
    spaces[space].xolArea = nil
    spaces[space].mappings = []
    spaces[space].sites = [:]
    spaces[space].isDying = true
  }
}

extension Mapping {
  /// What is left of the mapping without a range of addresses.
  func without(_ start: Address, _ end: Address) -> [Mapping] {
    guard start < self.end, self.start < end else { return [self] }
    var rest: [Mapping] = []
    if self.start < start {
      var below = self
      below.end = start
      rest.append(below)
    }
    if end < self.end {
      var above = self
      above.start = end
      above.fileOffset = offset(of: end)
      rest.append(above)
    }
    return rest
  }
}
