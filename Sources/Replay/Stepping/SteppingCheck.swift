import InstructionDecoding
import KernelModel
import ProbeEvents
import TapeFormat

/// Holds what probed instructions did against what the model's ``BreakpointHit`` and ``SingleStep``
/// rooms say they do: registers, pushed words, and where the task went on.
///
/// That shows where the instruction a probed one goes on to is probed as well: the thread's next hit
/// is then the very next thing it did. Where it went on elsewhere, because a signal's handler came
/// first, nothing can be said, and the hit is let pass.
struct SteppingCheck {
  private let layout: RegisterLayout
  private let probes: [Probe]
  private let neighbours: ProbeNeighbours
  private let wholeFrom: UInt64
  private var sites: [SteppingSite?]
  private var compatSites: [SteppingSite?]
  private var pending: [ThreadIdentity: PendingStep] = [:]
  private var diverged: Set<ThreadIdentity> = []
  private var divergences: [Divergence] = []
  private var taken = 0
  private var steps: UInt64 = 0
  private var nextHit: UInt64 = 0
  private var isStopped = false

  /// A hit whose instruction has been followed.
  private struct PendingStep {
    var hit: UInt64
    var probe: Int
    var isCompat: Bool
    var address: Address
    var prediction: StepPrediction
  }

  /// A check of a tape; nil, at no cost, when no two probes are neighbours.
  init?(header: TapeHeader, rules: UprobeRules) {
    let probes = header.probes
    guard let neighbours = ProbeNeighbours(probes) else { return nil }
    let sites = Self.sites(probes, rules, neighbours, isCompat: false)
    // 32-bit programs are another matter on x86 only: arm64 does not probe them.
    let compatSites =
      rules.architecture == .x86_64
      ? Self.sites(probes, rules, neighbours, isCompat: true) : nil
    guard sites != nil || compatSites != nil else { return nil }
    let none = [SteppingSite?](repeating: nil, count: probes.count)
    self.sites = sites ?? none
    self.compatSites = compatSites ?? none
    self.probes = probes
    self.neighbours = neighbours
    layout = rules.architecture.registerLayout
    wholeFrom = header.wholeFrom
  }

  /// The sites that have neighbours; nil when no site goes on to another.
  private static func sites(
    _ probes: [Probe], _ rules: UprobeRules, _ neighbours: ProbeNeighbours, isCompat: Bool
  ) -> [SteppingSite?]? {
    guard let decoder = InstructionDecoder(rules.architecture, isCompat: isCompat) else {
      return nil
    }
    var sites = probes.map { SteppingSite($0, rules, decoder, isCompat: isCompat) }
    let hasPair = probes.indices.contains { index in
      sites[index]?.successors.contains { neighbours.hasProbe($0, from: probes[index]) } ?? false
    }
    for index in sites.indices where !neighbours.hasAny(near: probes[index]) { sites[index] = nil }
    return hasPair ? sites : nil
  }

  /// Follows one block, which must have all registers, and times where the tape is not whole from its
  /// beginning.
  mutating func feed(_ columns: borrowing HitColumns) {
    for step in columns.order {
      switch step {
      case .event(let event): note(event.event)
      case .hit(let index):
        if !isStopped { follow(columns, index) }
        nextHit += 1
      }
    }
  }

  /// Hits may be missing from here on.
  mutating func stop() {
    isStopped = true
    pending = [:]
  }

  /// The divergences found since this was asked last.
  mutating func takeNew() -> ArraySlice<Divergence> {
    defer { taken = divergences.count }
    return divergences[taken...]
  }

  /// Adds what was found to the conclusion of the replay.
  func conclude(_ conclusion: inout TapeConclusion) {
    conclusion.evidence.steps = steps
    conclusion.divergences = (conclusion.divergences + divergences).sorted { $0.hit < $1.hit }
    if !divergences.isEmpty { conclusion.verdict = .diverged }
    var digest = Digest()
    digest.add(conclusion.digest)
    digest.add(steps)
    for divergence in divergences {
      digest.add(divergence.hit)
      digest.add(divergence.expected)
      digest.add(divergence.actual)
    }
    conclusion.digest = digest.text
  }

  private mutating func note(_ event: SideEvent) {
    switch event {
    case .exec(let thread, _):
      pending = pending.filter { $0.key.process != thread.process }
      for index in sites.indices {
        sites[index]?.forget(thread.process)
        compatSites[index]?.forget(thread.process)
      }
    case .exit(let thread):
      pending[thread] = nil
      diverged.remove(thread)
    case .lost:
      stop()
    case .mapping, .threadName, .fork, .signal, .attached, .witness: break
    }
  }

  private mutating func follow(_ columns: borrowing HitColumns, _ index: Int) {
    let thread = columns.threadTable[Int(columns.threads[index])]
    let isWhole = wholeFrom == 0 || columns.times[index] >= wholeFrom
    let flags = columns.flags[index]
    guard isWhole, columns.kinds[index] == .entry, !flags.contains(.registersMissing),
      !diverged.contains(thread)
    else {
      pending[thread] = nil
      return
    }
    var registers = RegisterFile()
    for column in 0..<layout.count {
      registers[column] = columns.registers[index * layout.count + column]
    }
    let bounds = Int(columns.windowStarts[index])..<Int(columns.windowStarts[index + 1])
    let window = columns.windowWords[bounds]
    if let before = pending.removeValue(forKey: thread) {
      compare(before, thread, registers, window)
    }
    predict(
      thread, probe: Int(columns.probes[index]), isCompat: flags.contains(.compat), registers,
      window)
  }

  private mutating func predict(
    _ thread: ThreadIdentity, probe: Int, isCompat: Bool, _ registers: RegisterFile,
    _ window: ArraySlice<UInt64>
  ) {
    let address = registers[layout.instructionPointer]
    let outcome =
      isCompat
      ? compatSites[probe]?.follow(registers, at: address, in: thread.process, window)
      : sites[probe]?.follow(registers, at: address, in: thread.process, window)
    switch outcome {
    case .predicted(let prediction):
      pending[thread] = PendingStep(
        hit: nextHit, probe: probe, isCompat: isCompat, address: address, prediction: prediction)
    case .refused(let errno):
      diverge(
        thread, expected: "no probe at \(probes[probe].displayName): error \(errno)",
        actual: "a hit", rule: StepRule.refusal)
    case .unpredictable, nil: break
    }
  }

  private mutating func compare(
    _ before: PendingStep, _ thread: ThreadIdentity, _ registers: RegisterFile,
    _ window: ArraySlice<UInt64>
  ) {
    let prediction = before.prediction
    let address = registers[layout.instructionPointer]
    let expected = prediction.registers[layout.instructionPointer]
    guard address == expected else {
      compareTarget(before, thread, went: address, expected: expected)
      return
    }
    steps += 1
    var differences = (0..<layout.count).filter {
      (prediction.registers[$0] ^ registers[$0]) & prediction.knownBits($0) != 0
    }.map { column in
      (
        "\(layout.names[column])=\(hexadecimal(prediction.registers[column]))",
        "\(layout.names[column])=\(hexadecimal(registers[column]))"
      )
    }
    let stackPointer = registers[layout.stackPointer]
    for expected in prediction.written {
      guard
        let word = StepMemory.word(
          at: expected.address, bytes: expected.bytes, window, stackPointer: stackPointer),
        word != expected.value
      else { continue }
      differences.append(
        (
          "\(hexadecimal(expected.value)) at \(hexadecimal(expected.address))",
          "\(hexadecimal(word)) at \(hexadecimal(expected.address))"
        ))
    }
    guard !differences.isEmpty else { return }
    diverge(
      thread,
      expected: differences.map(\.0).joined(separator: ", ") + " behind \(name(before))",
      actual: differences.map(\.1).joined(separator: ", "), rule: prediction.rule)
  }

  /// The task did not go on where it should have. That is held against the model where both places
  /// are ones that the instruction itself names: a signal's handler is at neither.
  private mutating func compareTarget(
    _ before: PendingStep, _ thread: ThreadIdentity, went address: Address, expected: Address
  ) {
    guard let site = before.isCompat ? compatSites[before.probe] : sites[before.probe] else {
      return
    }
    func isSuccessor(_ address: Address) -> Bool {
      site.successors.contains { before.address &+ UInt64(bitPattern: $0) == address }
    }
    let distance = Int64(bitPattern: expected &- before.address)
    guard isSuccessor(address), isSuccessor(expected),
      neighbours.hasProbe(distance, from: probes[before.probe])
    else { return }
    steps += 1
    diverge(
      thread, expected: "\(name(before)) to go on at \(hexadecimal(expected))",
      actual: "a hit at \(hexadecimal(address))", rule: before.prediction.rule)
  }

  private func name(_ step: PendingStep) -> String {
    "\(probes[step.probe].displayName) (hit \(step.hit))"
  }

  private mutating func diverge(
    _ thread: ThreadIdentity, expected: String, actual: String, rule: String
  ) {
    diverged.insert(thread)
    divergences.append(
      Divergence(
        hit: nextHit, thread: thread, kind: .wrongStep, expected: expected, actual: actual,
        rule: rule))
  }
}
