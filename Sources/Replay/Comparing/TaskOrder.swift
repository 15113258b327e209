import ProbeEvents

/// Names for tasks by descent and order of creation: the third child of the first task is `0.2`,
/// whatever the kernel's number for it.
struct TaskOrder {
  private var paths: [ThreadIdentity: [Int]] = [:]
  private var children: [[Int]: Int] = [:]
  private var roots = 0

  /// The name of a task; one that nobody was seen to make is a root, in order of appearance.
  mutating func path(of identity: ThreadIdentity) -> [Int] {
    if let known = paths[identity] { return known }
    let path = [roots]
    roots += 1
    paths[identity] = path
    return path
  }

  /// Notes a new task; one of the same number before is another.
  mutating func fork(_ fork: TaskFork) {
    let parent = path(of: fork.parent)
    let number = children[parent, default: 0]
    children[parent] = number + 1
    paths[fork.child] = parent + [number]
  }
}
