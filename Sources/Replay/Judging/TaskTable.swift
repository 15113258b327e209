import ProbeEvents

/// Slots of tasks and their address spaces. Slots of dead tasks are used again.
struct TaskTable: ~Copyable {
  private var states = FlatStorage<TaskState>()
  var spaces = AddressSpaces()
  private var slots: [ThreadIdentity: Int] = [:]
  private var freeSlots: [Int] = []
  private var spaceOfProcess: [Int32: Int] = [:]
  private var usersOfSpace: [Int] = []
  private var tasksOfProcess: [Int32: Int] = [:]

  /// The slot of a known task.
  func slot(of identity: ThreadIdentity) -> Int? { slots[identity] }

  /// Slots in use or free, from 0 upwards.
  var slotCount: Int { states.count }

  /// Direct access to a task's state.
  @inline(__always)
  subscript(slot: Int) -> TaskState {
    _read { yield states[slot] }
    _modify { yield &states[slot] }
  }

  /// Adds a task that was not known. Its address space is that of its process, new if need be.
  mutating func add(_ identity: ThreadIdentity) -> Int {
    let space = spaceIndex(of: identity.process)
    let slot = takeSlot()
    states[slot] = TaskState()
    states[slot].identity = identity
    states[slot].addressSpace = space
    slots[identity] = slot
    tasksOfProcess[identity.process, default: 0] += 1
    return slot
  }

  /// Removes a task that ended; its process's address space goes with the last task of it.
  mutating func remove(_ identity: ThreadIdentity) {
    guard let slot = slots.removeValue(forKey: identity) else { return }
    freeSlots.append(slot)
    let left = (tasksOfProcess[identity.process] ?? 1) - 1
    tasksOfProcess[identity.process] = left == 0 ? nil : left
    if left == 0 { releaseSpace(of: identity.process) }
  }

  /// The other tasks of a process.
  func others(in process: Int32, than thread: ThreadIdentity) -> [ThreadIdentity] {
    slots.keys.filter { $0.process == process && $0 != thread }.sorted()
  }

  /// The address space of a process, new if it has none yet.
  mutating func spaceIndex(of process: Int32) -> Int {
    if let known = spaceOfProcess[process] { return known }
    let index = spaces.make()
    addUser(index)
    spaceOfProcess[process] = index
    return index
  }

  /// A new process: a copy of its parent's address space, or the very same one.
  mutating func copySpace(from parent: Int32, to child: Int32, isShared: Bool) {
    let source = spaceIndex(of: parent)
    releaseSpace(of: child)
    if isShared {
      usersOfSpace[source] += 1
      spaceOfProcess[child] = source
    } else {
      let index = spaces.copy(of: source)
      addUser(index)
      spaceOfProcess[child] = index
    }
  }

  /// A process that replaced its program: an empty address space for the task in the slot.
  mutating func renewSpace(slot: Int) {
    let process = states[slot].identity.process
    releaseSpace(of: process)
    states[slot].addressSpace = spaceIndex(of: process)
  }

  private mutating func takeSlot() -> Int {
    if let free = freeSlots.popLast() { return free }
    states.append(TaskState())
    return states.count - 1
  }

  private mutating func addUser(_ space: Int) {
    while usersOfSpace.count <= space { usersOfSpace.append(0) }
    usersOfSpace[space] += 1
  }

  private mutating func releaseSpace(of process: Int32) {
    guard let index = spaceOfProcess.removeValue(forKey: process) else { return }
    usersOfSpace[index] -= 1
    if usersOfSpace[index] == 0 { spaces.release(index) }
  }
}
