import ProbeEvents
import TapeFormat

extension Explainer {
  /// How many calls are listed, and how many lines of history.
  private static let callsMax = 16
  private static let historyMax = 10

  /// Explains a divergence at a hit, or without one at the end of a task or of the tape.
  func explain(_ divergence: Divergence, at scene: SceneHit?, depth: Int?) -> Explanation {
    var task = tasks[divergence.thread] ?? FollowedTask()
    if let scene, let depth, divergence.kind == .chainMismatch {
      // What the handler dropped at this very entry.
      task.remove(
        task.held.count - depth,
        .dropped(
          at: scene.hit, by: .entry(probe: scene.probe, stackPointer: scene.stackPointer)))
    }
    let subject = subject(of: divergence, at: scene, in: task)
    let popped = scene?.kind == .return ? max(0, task.held.count - (depth ?? task.held.count)) : 0
    let calls = calls(task, subject, scene, divergence, popped: popped)
    return Explanation(
      sentence: sentence(divergence, scene, subject, task), rules: rules,
      calls: Array(calls.prefix(Self.callsMax)), olderCalls: max(0, calls.count - Self.callsMax),
      history: history(task, subject, divergence))
  }

  /// The call that the tape's side of a divergence is about, as far as the thread's hits show it.
  private func subject(
    of divergence: Divergence, at scene: SceneHit?, in task: FollowedTask
  ) -> FollowedCall? {
    guard let scene else { return task.held.last ?? task.gone.last }
    switch scene.kind {
    case .return:
      return task.call(
        of: scene.function, probe: scene.probe, slot: scene.slot(header.kernel.architecture))
    case .entry:
      if divergence.kind == .missingReturn { return task.held.last }
      return task.gone.last { $0.slot == scene.stackPointer && isDropped($0) }
        ?? task.held.last { $0.slot == scene.stackPointer } ?? task.held.last
    }
  }

  private func isDropped(_ call: FollowedCall) -> Bool {
    switch call.fate {
    case .dropped, .notPushed: true
    case .held, .returned: false
    }
  }

  /// Both views of the calls, newest first.
  private func calls(
    _ task: FollowedTask, _ subject: FollowedCall?, _ scene: SceneHit?, _ divergence: Divergence,
    popped: Int
  ) -> [Explanation.Call] {
    let lost = task.gone.filter { isDropped($0) }.suffix(4)
    var listed = task.held + lost
    if let subject, !listed.contains(where: { $0.entered == subject.entered }) {
      listed.append(subject)
    }
    listed.sort { $0.entered > $1.entered }
    let poppedHits = task.held.suffix(popped).map(\.entered)
    var rows = listed.map { call in
      Explanation.Call(
        name: name(call.probe), entered: call.entered, slot: call.slot,
        handler: poppedHits.contains(call.entered) ? "popped here" : describe(call),
        tape: isReturning(call, subject, scene)
          ? "returns here" + overwritten(call) : describe(call.sighting))
    }
    if let scene, let own = row(of: scene, subject, divergence) { rows.insert(own, at: 0) }
    return rows
  }

  private func isReturning(
    _ call: FollowedCall, _ subject: FollowedCall?, _ scene: SceneHit?
  ) -> Bool {
    scene?.kind == .return && call.entered == subject?.entered
  }

  /// The hit itself, where no call listed stands for it.
  private func row(
    of scene: SceneHit, _ subject: FollowedCall?, _ divergence: Divergence
  ) -> Explanation.Call? {
    let place = addresses.text
    switch scene.kind {
    case .return:
      guard subject == nil else { return nil }
      let target = place(scene.instructionPointer, scene.thread.process)
      return Explanation.Call(
        name: name(scene.probe), entered: nil, slot: scene.slot(header.kernel.architecture),
        handler: "no instance", tape: "returns here, to \(target)")
    case .entry:
      let found = scene.returnAddress.map { place($0, scene.thread.process) } ?? "unknown"
      return Explanation.Call(
        name: name(scene.probe), entered: scene.hit, slot: scene.stackPointer,
        handler: "entered here", tape: "return address \(found)")
    }
  }

  private func describe(_ call: FollowedCall) -> String {
    switch call.fate {
    case .held: call.isChained ? "held, chained" : "held"
    case .returned(let hit): "returned at hit \(hit)"
    case .dropped(let hit, _): "dropped at hit \(hit)"
    case .notPushed(let outcome): "no instance: " + describe(outcome)
    }
  }

  /// What was seen in the slot of a call that returns, if it was something else than it should be.
  private func overwritten(_ call: FollowedCall) -> String {
    guard let sighting = call.sighting, !sighting.isTrampoline else { return "" }
    return ", after " + describe(sighting)
  }

  private func describe(_ sighting: FollowedCall.Sighting?) -> String {
    guard let sighting else { return "slot not seen again" }
    let word = sighting.isTrampoline ? "trampoline" : hexadecimal(sighting.word)
    return "\(word) at hit \(sighting.hit)"
  }

  /// Why an entry got no instance.
  func describe(_ outcome: EntryConclusion.Outcome) -> String {
    switch outcome {
    case .omittedAtDepthLimit: "depth limit"
    case .chainWithoutInstance: "nothing to chain to"
    case .hijackFailed: "return address not replaced"
    case .noReturnProbe: "no return probe"
    case .pushed, .chained: "pushed"
    }
  }

  /// Who pushed the instances in question, and who took them away.
  private func history(
    _ task: FollowedTask, _ subject: FollowedCall?, _ divergence: Divergence
  ) -> [String] {
    var calls = task.gone.filter { isDropped($0) }.suffix(3) + task.held.suffix(3)
    if let subject, !calls.contains(where: { $0.entered == subject.entered }) {
      calls.append(subject)
    }
    // The call with which the missing one should have returned.
    if divergence.kind == .missingReturn, let last = task.gone.last { calls.append(last) }
    var lines: [(hit: UInt64, order: Int, text: String)] = []
    for call in calls {
      lines.append((call.entered, 0, "hit \(call.entered): \(pushed(call))"))
      switch call.fate {
      case .held, .notPushed: break
      case .returned(let hit):
        lines.append((hit, 1, "hit \(hit): \(name(call.probe)) returned"))
      case .dropped(let hit, let cause):
        lines.append(
          (
            hit, 1,
            "hit \(hit): the instance for \(name(call.probe)) was dropped \(why(cause, call))"
          ))
      }
    }
    lines.sort { ($0.hit, $0.order) < ($1.hit, $1.order) }
    return lines.suffix(Self.historyMax).map(\.text)
  }

  private func pushed(_ call: FollowedCall) -> String {
    let entered = "\(name(call.probe)) was entered with sp \(hexadecimal(call.slot))"
    if case .notPushed(let outcome) = call.fate {
      return entered + ", without instance: " + describe(outcome)
    }
    return entered + (call.isChained ? ", chained to the instance before it" : ", pushed")
  }

  /// Why an instance was dropped, to follow the word "dropped".
  func why(_ cause: FollowedCall.Cause, _ call: FollowedCall) -> String {
    switch cause {
    case .entry(let probe, let stackPointer):
      let place =
        stackPointer > call.slot
        ? "on a stack above it" : stackPointer == call.slot ? "in its own slot" : "below it"
      return "because \(name(probe)) was entered \(place)"
    case .arrival: return "because an older call returned"
    case .unseenReturn: return "because a call returned that was entered before the recording"
    }
  }

  /// A probe's name as terminals may have it.
  func name(_ probe: UInt32) -> String {
    Int(probe) < header.probes.count
      ? printable(header.probes[Int(probe)].displayName) : "probe \(probe)"
  }
}
