import ProbeEvents

/// Brings each list that was read at a hit together with that hit: the list's record lies in the
/// ring before the sample, but a task may have moved to another CPU in between.
struct WitnessMatcher {
  /// The list of each thread's next hit.
  private var pending: [ThreadIdentity: WitnessRecord] = [:]
  /// Threads that had a hit of the recording. The program sees hits of others, too, where a
  /// breakpoint is in their memory.
  private var known: Set<ThreadIdentity> = []

  /// Takes a list; returns what goes on the tape at once.
  mutating func take(_ record: WitnessRecord, of thread: ThreadIdentity) -> Witness? {
    let moment: Witness.Moment
    switch record.moment {
    case .hit:
      pending[thread] = record
      return nil
    case .beforeTrampoline: moment = .beforeTrampoline
    case .afterTrampoline: moment = .afterTrampoline
    }
    return known.contains(thread) ? Self.witness(record, of: thread, moment) : nil
  }

  /// The list that was read at a hit; nil when there is none, as for hits from before the program
  /// was attached.
  mutating func take(
    at kind: HitKind, of thread: ThreadIdentity, instructionPointer: Address,
    stackPointer: Address
  ) -> Witness? {
    known.insert(thread)
    guard let record = pending.removeValue(forKey: thread),
      record.instructionPointer == instructionPointer, record.stackPointer == stackPointer
    else { return nil }
    switch kind {
    case .entry: return Self.witness(record, of: thread, .entry)
    case .return: return Self.witness(record, of: thread, .return)
    }
  }

  /// A thread has ended.
  mutating func forget(_ thread: ThreadIdentity) {
    pending[thread] = nil
    known.remove(thread)
  }

  private static func witness(
    _ record: WitnessRecord, of thread: ThreadIdentity, _ moment: Witness.Moment
  ) -> Witness {
    Witness(thread: thread, moment: moment, depth: record.depth, instances: record.instances)
  }
}
