public import ProbeEvents
public import TapeFormat

/// Takes from a tape what nobody needs for judging it.
///
/// What stays: the kernel's release and the facts that rules read, probes with file name, offset,
/// symbol, build id and instruction bytes; of each hit its kind, thread, function, instruction and
/// stack pointer and link register, return addresses, trampoline addresses in the stack; forks,
/// execs, exits, signals, mappings by file name, and the distances of times.
public struct TapeScrubber {
  /// What was found, and is gone from what was scrubbed.
  public private(set) var findings = ScrubFindings()
  /// The header without what must go.
  public private(set) var header: TapeHeader

  private let layout: RegisterLayout
  private let epoch: UInt64
  private var trampolines: [Int32: Address] = [:]

  /// The facts that rules read.
  private static let facts: [KernelFact.Name] = [
    .returnTrampoline, .noInstanceSignalCode, .optimizedSites, .pageSize,
  ]

  /// A scrubber for a tape with the given header.
  public init(header: TapeHeader) {
    self.header = header
    layout = header.kernel.architecture.registerLayout
    // Times begin at 1: a `wholeFrom` of 0 means something else.
    epoch = header.startTime > 1 ? header.startTime - 1 : 0
    scrubHeader()
  }

  /// Scrubs one block, read with all columns.
  public mutating func scrub(_ columns: inout HitColumns) {
    var side = 0
    for index in 0...columns.count {
      while side < columns.sideEvents.count, columns.sideEvents[side].beforeHit <= index {
        scrub(&columns.sideEvents[side].event)
        side += 1
      }
      guard index < columns.count else { break }
      columns.times[index] = shifted(columns.times[index])
      scrubRegisters(&columns, index)
      scrubWords(&columns, index)
    }
    if columns.cpus.contains(where: { $0 != 0 }) { findings.hostFacts += 1 }
    for index in columns.cpus.indices { columns.cpus[index] = 0 }
  }

  /// A time, from the start of the recording.
  public func shifted(_ time: UInt64) -> UInt64 { time > epoch ? time - epoch : time == 0 ? 0 : 1 }

  private mutating func scrubHeader() {
    findings.arguments = max(0, header.command.count - 1)
    header.command = header.command.prefix(1).map { fileName($0) }
    for index in header.probes.indices {
      header.probes[index].path = fileName(header.probes[index].path)
    }
    for index in header.derivations.indices {
      let words = header.derivations[index].command.split(separator: " ")
      header.derivations[index].command =
        words.map { fileName(String($0)) }.joined(separator: " ")
    }
    if epoch > 0 || header.startRealTime != 0 { findings.hostFacts += 1 }
    if header.wholeFrom != 0 { header.wholeFrom = max(1, shifted(header.wholeFrom)) }
    header.startTime = shifted(header.startTime)
    header.startRealTime = 0
    scrubKernel()
  }

  private mutating func scrubKernel() {
    let kernel = header.kernel
    let names = Self.facts.map(\.rawValue)
    let kept = kernel.facts.filter { names.contains($0.name) }
    // What a distribution's version text says of the stable kernel inside decides about rules.
    let version = stableVersion(kernel.version)
    findings.hostFacts += kernel.facts.count - kept.count
    if version != kernel.version { findings.hostFacts += 1 }
    header.kernel = KernelFacts(
      architecture: kernel.architecture, release: kernel.release, version: version, facts: kept)
  }

  /// `Debian 6.1.76-1` of `#1 SMP PREEMPT_DYNAMIC Debian 6.1.76-1 (2024-02-01)`; nothing of others.
  private func stableVersion(_ version: String) -> String {
    let words = version.split(separator: " ")
    guard let mark = words.firstIndex(of: "Debian"), mark + 1 < words.endIndex else { return "" }
    return "Debian \(words[mark + 1])"
  }

  private mutating func scrub(_ timed: inout TimedSideEvent) {
    timed.time = shifted(timed.time)
    switch timed.event {
    case .mapping(var mapping):
      if mapping.path == Mapping.uprobesName { trampolines[mapping.process] = mapping.start }
      mapping.path = fileName(mapping.path)
      timed.event = .mapping(mapping)
    case .threadName(let thread, let name):
      if !name.isEmpty { findings.names += 1 }
      timed.event = .threadName(thread, "")
    case .exec(let thread, let name):
      if !name.isEmpty { findings.names += 1 }
      timed.event = .exec(thread, "")
      trampolines[thread.process] = nil
    case .fork(let fork):
      if fork.child.process != fork.parent.process {
        trampolines[fork.child.process] = trampolines[fork.parent.process]
      }
    case .lost(var hits):
      hits.cpu = LostHits.unknownCPU
      timed.event = .lost(hits)
    case .exit, .signal, .attached, .witness: break
    }
  }

  /// A path's last part; names in brackets are the kernel's.
  private mutating func fileName(_ path: String) -> String {
    guard path.contains("/") else { return path }
    findings.folders += 1
    return path.split(separator: "/").last.map(String.init) ?? ""
  }

  private mutating func scrubRegisters(_ columns: inout HitColumns, _ index: Int) {
    let first = index * layout.count
    for column in 0..<layout.count {
      let isJudged =
        column == layout.stackPointer || column == layout.instructionPointer
        || column == layout.linkRegister
      guard !isJudged, columns.registers[first + column] != 0 else { continue }
      columns.registers[first + column] = 0
      findings.registers += 1
    }
  }

  private mutating func scrubWords(_ columns: inout HitColumns, _ index: Int) {
    let thread = columns.threadTable[Int(columns.threads[index])]
    let trampoline = trampolines[thread.process]
    let isCompat = columns.flags[index].contains(.compat)
    let first = Int(columns.windowStarts[index])
    for place in first..<Int(columns.windowStarts[index + 1]) {
      let isReturnAddress =
        place == first && columns.kinds[index] == .entry && layout.linkRegister == nil
      let word = columns.windowWords[place]
      let kept: UInt64
      if isCompat {
        let low = isReturnAddress ? word & 0xFFFF_FFFF : keep(word & 0xFFFF_FFFF, trampoline)
        kept = low | keep(word >> 32, trampoline) << 32
      } else {
        kept = isReturnAddress ? word : keep(word, trampoline)
      }
      if kept != word { findings.stackWords += 1 }
      columns.windowWords[place] = kept
    }
  }

  /// A word if it is the trampoline, or may turn out to be it: that is the start of a page.
  private func keep(_ word: UInt64, _ trampoline: Address?) -> UInt64 {
    guard let trampoline else { return word & 0xFFF == 0 ? word : 0 }
    return word == trampoline ? word : 0
  }
}
