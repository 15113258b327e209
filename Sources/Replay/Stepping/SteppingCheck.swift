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
    var address: Address
    var prediction: StepPrediction
  }

  /// A check of a tape; nil, at no cost, when no two probes are neighbours.
  init?(header: TapeHeader, rules: UprobeRules) {
    let probes = header.probes
    guard
      let neighbours = ProbeNeighbours(probes), let decoder = InstructionDecoder(rules.architecture)
    else { return nil }
    var sites = probes.map { SteppingSite($0, rules, decoder) }
    let hasPair = probes.indices.contains { index in
      sites[index]?.successors.contains { neighbours.hasProbe($0, from: probes[index]) } ?? false
    }
    guard hasPair else { return nil }
    for index in sites.indices where !neighbours.hasAny(near: probes[index]) { sites[index] = nil }
    self.sites = sites
    self.probes = probes
    self.neighbours = neighbours
    layout = rules.architecture.registerLayout
    wholeFrom = header.wholeFrom
  }

  /// Follows one block, which must have all registers, and times where the tape is not whole from its
  /// beginning.
  mutating func feed(_ columns: borrowing HitColumns) {
    var side = 0
    for index in 0..<columns.count {
      while side < columns.sideEvents.count, columns.sideEvents[side].beforeHit <= index {
        note(columns.sideEvents[side].event.event)
        side += 1
      }
      if !isStopped { follow(columns, index) }
      nextHit += 1
    }
    for rest in columns.sideEvents[min(side, columns.sideEvents.count)...] {
      note(rest.event.event)
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
      for index in sites.indices { sites[index]?.forget(thread.process) }
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
    guard isWhole, columns.kinds[index] == .entry, columns.flags[index].isEmpty,
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
    predict(thread, probe: Int(columns.probes[index]), registers, window)
  }

  private mutating func predict(
    _ thread: ThreadIdentity, probe: Int, _ registers: RegisterFile, _ window: ArraySlice<UInt64>
  ) {
    let address = registers[layout.instructionPointer]
    let outcome = sites[probe]?.follow(registers, at: address, in: thread.process, window)
    switch outcome {
    case .predicted(let prediction):
      pending[thread] = PendingStep(
        hit: nextHit, probe: probe, address: address, prediction: prediction)
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
    for (address, value) in prediction.pushed {
      let distance = address &- stackPointer
      guard distance % 8 == 0, distance / 8 < UInt64(window.count) else { continue }
      let word = window[window.startIndex + Int(distance / 8)]
      if word != value {
        differences.append(
          (
            "\(hexadecimal(value)) at \(hexadecimal(address))",
            "\(hexadecimal(word)) at \(hexadecimal(address))"
          ))
      }
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
    guard let site = sites[before.probe] else { return }
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
