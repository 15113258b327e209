/// Which of the threads attached to a thread's events come from.
///
/// A thread that is created while its creator is being attached to inherits some of the events; then
/// it is found and gets a whole set of its own, and its hits come twice. Every thread therefore
/// belongs to one family, and only that family's events count for it.
struct TaskFamilies {
  /// Nil when one thread alone was opened for: then all events are its family's.
  private var families: [Int32: Int32]?
  private var last: (thread: Int32, owner: Int32) = (-1, -1)

  /// The family of a launched command.
  init() {
    families = nil
  }

  /// The families of threads that have whole sets of their own.
  init(attached threads: Set<Int32>) {
    families = Dictionary(uniqueKeysWithValues: threads.map { ($0, $0) })
  }

  /// Whether an event opened for `owner` counts for a thread.
  mutating func accepts(_ owner: Int32, for thread: Int32) -> Bool {
    guard let families else { return true }
    if last.thread == thread { return last.owner == owner }
    let family: Int32
    if let known = families[thread] {
      family = known
    } else {
      // Its creation was not seen: the first event decides.
      family = owner
      self.families?[thread] = owner
    }
    last = (thread, family)
    return family == owner
  }

  /// A new thread belongs to its creator's family, unless it was attached to itself.
  mutating func noteFork(parent: Int32, child: Int32) {
    guard let families, families[child] == nil, let family = families[parent] else { return }
    self.families?[child] = family
    last = (-1, -1)
  }

  /// The number of an ended thread may come back as another's.
  mutating func noteExit(_ thread: Int32) {
    guard families != nil else { return }
    families?[thread] = nil
    last = (-1, -1)
  }
}
