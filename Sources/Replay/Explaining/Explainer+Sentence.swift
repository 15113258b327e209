import ProbeEvents

/// Each class of divergence in one sentence.
extension Explainer {
  func sentence(
    _ divergence: Divergence, _ scene: SceneHit?, _ subject: FollowedCall?, _ task: FollowedTask
  ) -> String {
    switch divergence.kind {
    case .unexpectedReturn: unexpectedReturn(scene, subject)
    case .missingReturn: missingReturn(divergence, subject)
    case .wrongReturn: wrongReturn(divergence, scene, subject, task)
    case .wrongReturnAddress: wrongReturnAddress(divergence, scene, subject)
    case .chainMismatch: chainMismatch(divergence, scene, subject, task)
    case .strayTrampolineWord:
      "there should be \(divergence.expected), as the handler made no instance for the call that was "
        + "entered with that stack pointer; but \(divergence.actual)"
    case .lostTrampolineWord: lostTrampolineWord(scene, subject)
    case .unexpectedSignal:
      "the kernel found no instance at the trampoline, but the handler still held "
        + "\(task.held.count)\(newest(task, ", the newest "))"
    case .wrongSignal:
      "no instance was left at the trampoline\(lastGone(task)); the handler demands "
        + "\(divergence.expected), the kernel sent \(divergence.actual)"
    case .wrongExit:
      "the program has no handler for the signal it got at the trampoline, so the handler demands "
        + "\(divergence.expected), but the target ended otherwise: \(divergence.actual)"
    case .witnessMismatch:
      "the kernel's own list, read \(place(scene, divergence)), has \(divergence.actual), where the "
        + "handler's instances have \(divergence.expected)\(newest(task, "; its newest is the one "))"
    case .wrongStep:
      "\(place(scene, divergence)) the probed instruction before must have led to "
        + "\(divergence.expected), but the tape has \(divergence.actual)"
    case .wrongMemory, .handlerFaulted:
      "\(place(scene, divergence)) the handler did what no kernel does"
        + newest(task, ", holding an instance ") + ": it owed "
        + "\(divergence.expected), and there was \(divergence.actual)"
    case .handlerCrashed, .handlerTimedOut:
      "\(place(scene, divergence)) the handler did not come back"
        + newest(task, ", where the model holds an instance ") + ": "
        + divergence.actual
    }
  }

  private func unexpectedReturn(_ scene: SceneHit?, _ subject: FollowedCall?) -> String {
    let end = scene.map { "at hit \($0.hit)" } ?? "at the end"
    guard let subject else {
      let function = scene.map { name($0.probe) } ?? "a function"
      return "no instance for \(function) was ever pushed in this thread, so nothing could return "
        + end
    }
    return "\(fate(subject)), so nothing was left to return \(end)"
  }

  private func missingReturn(_ divergence: Divergence, _ subject: FollowedCall?) -> String {
    guard let subject else {
      return "a chain of tail calls returns as a whole, but instead came \(divergence.actual)"
    }
    return
      "the instance for \(name(subject.probe)) pushed at hit \(subject.entered) returns in one "
      + "chain with the call that returned before, but instead came \(divergence.actual)"
  }

  private func wrongReturn(
    _ divergence: Divergence, _ scene: SceneHit?, _ subject: FollowedCall?, _ task: FollowedTask
  ) -> String {
    guard let scene else { return "another call returned than the handler's newest" }
    guard let subject else {
      return "\(name(scene.probe)) returned at hit \(scene.hit), but no instance for it was ever "
        + "pushed in this thread\(newest(task, "; the handler returns the one "))"
    }
    guard case .held = subject.fate else {
      return "\(fate(subject)), so at hit \(scene.hit) the handler returns another call"
        + newest(task, ": the one ")
    }
    let above = task.held.count { $0.entered > subject.entered }
    let returned = "the kernel returned \(name(subject.probe)), pushed at hit \(subject.entered)"
    guard above > 0 else {
      return returned + ", the newest instance of the handler, which passes it over: it demands "
        + divergence.expected
    }
    return returned + ", but the handler still held \(above) newer "
      + "instance\(above == 1 ? "" : "s") than that" + newest(task, ", the newest ")
  }

  private func wrongReturnAddress(
    _ divergence: Divergence, _ scene: SceneHit?, _ subject: FollowedCall?
  ) -> String {
    guard let scene, let subject else { return "\(divergence.expected), but \(divergence.actual)" }
    let process = scene.thread.process
    return "\(name(subject.probe)) was entered at hit \(subject.entered) to return to "
      + "\(addresses.text(subject.returnAddress, in: process)), but returned to "
      + "\(addresses.text(scene.instructionPointer, in: process)) at hit \(scene.hit)"
  }

  private func chainMismatch(
    _ divergence: Divergence, _ scene: SceneHit?, _ subject: FollowedCall?, _ task: FollowedTask
  ) -> String {
    guard let scene else { return "\(divergence.expected), but \(divergence.actual)" }
    let entry = "\(name(scene.probe)) was entered at hit \(scene.hit)"
    guard let subject, subject.slot == scene.stackPointer else {
      return "\(entry) and \(divergence.actual), but the handler has no instance in its slot "
        + "\(hexadecimal(scene.stackPointer))\(newest(task, "; its newest is the one "))"
    }
    guard case .held = subject.fate else {
      return "\(fate(subject)), so when \(entry) in the same slot, there was nothing to chain to"
    }
    return "\(entry) in the slot of \(name(subject.probe)), pushed at hit \(subject.entered), and "
      + "\(divergence.actual), where the handler demands \(divergence.expected)"
  }

  private func lostTrampolineWord(_ scene: SceneHit?, _ subject: FollowedCall?) -> String {
    guard let scene, let subject else { return "a slot had lost the trampoline" }
    let seen =
      subject.sighting.map { "held \(hexadecimal($0.word)) at hit \($0.hit)" }
      ?? "held another word"
    return "the slot \(hexadecimal(subject.slot)) of \(name(subject.probe)), pushed at hit "
      + "\(subject.entered), \(seen) and no longer the trampoline, so nothing can have returned "
      + "through it at hit \(scene.hit)"
  }

  /// What became of a call's instance, as the beginning of a sentence.
  private func fate(_ call: FollowedCall) -> String {
    let instance = "the instance for \(name(call.probe)) pushed at hit \(call.entered)"
    switch call.fate {
    case .held: return instance + " is still held"
    case .returned(let hit): return instance + " had returned at hit \(hit)"
    case .dropped(let hit, let cause):
      return instance + " was dropped at hit \(hit) \(why(cause, call))"
    case .notPushed(let outcome):
      return "\(name(call.probe)), entered at hit \(call.entered), got no instance "
        + "(\(describe(outcome)))"
    }
  }

  private func newest(_ task: FollowedTask, _ introduction: String) -> String {
    guard let call = task.held.last else { return "" }
    return "\(introduction)for \(name(call.probe)) pushed at hit \(call.entered)"
  }

  private func lastGone(_ task: FollowedTask) -> String {
    guard let call = task.gone.last else { return "" }
    switch call.fate {
    case .returned(let hit), .dropped(let hit, _):
      return ", the last one, for \(name(call.probe)), being gone since hit \(hit)"
    case .held, .notPushed: return ""
    }
  }

  private func place(_ scene: SceneHit?, _ divergence: Divergence) -> String {
    guard let scene else { return "at hit \(divergence.hit)" }
    let kind = scene.kind == .entry ? "entry" : "return"
    return "at hit \(scene.hit), the \(kind) of \(name(scene.probe)),"
  }
}
