public import ProbeEvents
public import TapeFormat

/// Explains divergences: follows the calls of every task through a handler's conclusions, and at a
/// divergence says what the handler held, what the tape shows, and how it came to that.
///
/// Fed block by block with what an annotating replay concluded. Memory is bounded for each task.
public struct Explainer {
  let header: TapeHeader
  let rules: String
  var addresses = AddressBook()
  private(set) var tasks: [ThreadIdentity: FollowedTask] = [:]
  private var trampolines: [Int32: Address] = [:]
  private var nextHit: UInt64 = 0
  /// Divergences that no conclusion mentions, to be explained at their hits.
  private let asked: [Divergence]
  private var made: [(divergence: Divergence, explanation: Explanation)] = []

  /// An explainer for a tape.
  ///
  /// - Parameters:
  ///   - rules: whose rules the conclusions follow, for people.
  ///   - asked: divergences of a handler that cannot be asked again, as it crashed; their hits are
  ///     explained by the conclusions that are fed.
  public init(header: TapeHeader, rules: String, asked: [Divergence] = []) {
    self.header = header
    self.rules = rules
    self.asked = asked
  }

  /// The explanation of a divergence, after the whole tape was fed.
  public func explanation(of divergence: Divergence) -> Explanation {
    let known = made.first { $0.divergence == divergence }?.explanation
    return known ?? explain(divergence, at: nil, depth: nil)
  }

  /// Follows one block, read with all columns.
  public mutating func follow(_ columns: HitColumns, _ concluded: [AnnotatedConclusion]) {
    var side = 0
    var next = 0
    for index in 0...columns.count {
      var here: [AnnotatedConclusion] = []
      while next < concluded.count, concluded[next].hit == nextHit {
        here.append(concluded[next])
        next += 1
      }
      // The last one is about the hit itself; those before are about side events.
      let own = index < columns.count ? here.popLast() : nil
      for annotated in here { follow(annotated) }
      while side < columns.sideEvents.count, columns.sideEvents[side].beforeHit <= index {
        follow(columns.sideEvents[side].event.event)
        side += 1
      }
      guard index < columns.count else { break }
      follow(SceneHit(columns, index, nextHit, header), columns, own)
      nextHit += 1
    }
  }

  private mutating func follow(_ annotated: AnnotatedConclusion) {
    switch annotated.conclusion {
    case .diverged(let divergence):
      made.append((divergence, explain(divergence, at: nil, depth: annotated.depth)))
    case .entry, .returned, .returnOfUnseenEntry, .signal, .unjudged: break
    }
  }

  private mutating func follow(
    _ scene: SceneHit, _ columns: HitColumns, _ annotated: AnnotatedConclusion?
  ) {
    for divergence in asked where divergence.hit == scene.hit {
      made.append((divergence, explain(divergence, at: scene, depth: nil)))
    }
    var task = tasks[scene.thread] ?? FollowedTask()
    switch annotated?.conclusion {
    case .entry(let entry):
      task.enter(scene.call, entry, depth: annotated?.depth ?? 0)
      look(&task, scene, columns)
    case .returned(let popped, _):
      task.leave(entered: EntryNumber.hit(popped.entry), at: scene.hit)
      look(&task, scene, columns)
    case .returnOfUnseenEntry:
      task.remove(task.held.count, .dropped(at: scene.hit, by: .unseenReturn))
    case .diverged(let divergence):
      look(&task, scene, columns)
      tasks[scene.thread] = task
      made.append((divergence, explain(divergence, at: scene, depth: annotated?.depth)))
    case .signal, .unjudged, nil: break
    }
    tasks[scene.thread] = task
  }

  /// Notes the slots a window shows. The first word of an entry's is what the kernel found, not what
  /// it left; and a link register's place in the frame is not known.
  private func look(_ task: inout FollowedTask, _ scene: SceneHit, _ columns: HitColumns) {
    guard header.kernel.architecture == .x86_64, !scene.isCompat else { return }
    let first = Int(columns.windowStarts[scene.index])
    let end = Int(columns.windowStarts[scene.index + 1])
    let skipped = scene.kind == .entry ? 1 : 0
    guard first + skipped < end else { return }
    task.see(
      columns.windowWords[first + skipped..<end],
      from: scene.stackPointer &+ UInt64(skipped) &* 8, hit: scene.hit,
      trampoline: trampolines[scene.thread.process] ?? 0)
  }

  private mutating func follow(_ event: SideEvent) {
    addresses.note(event)
    switch event {
    case .mapping(let mapping) where mapping.path == Mapping.uprobesName:
      trampolines[mapping.process] = mapping.start
    case .fork(let fork):
      // What a child does not inherit is noticed at its first hit, by the depth.
      tasks[fork.child] = tasks[fork.parent]
      if fork.child.process != fork.parent.process {
        trampolines[fork.child.process] = trampolines[fork.parent.process]
      }
    case .exec(let identity, _):
      tasks = tasks.filter { $0.key.process != identity.process }
      trampolines[identity.process] = nil
    case .exit(let identity): tasks[identity] = nil
    case .mapping, .threadName, .signal, .lost, .attached, .witness: break
    }
  }
}
