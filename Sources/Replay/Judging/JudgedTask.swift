import ProbeEvents

/// What a replay knows about one task, beside the handler's own state in the same slot.
struct TaskState: BitwiseCopyable {
  /// The task's slot.
  var slot = 0
  /// Who it is.
  var identity = ThreadIdentity(process: 0, thread: 0)
  /// Index of its address space.
  var addressSpace = 0
  /// Whether it ran before recording began, so that it may hold instances no hit shows.
  var isAttached = false
  /// Of an attached task: how many instances it held when it last arrived at the trampoline, whether
  /// it was there with the stack pointer of the newest, and the most it held at such an arrival
  /// whose returns were all as they should be.
  var arrivalDepth = 0
  var arrivalIsExact = false
  var provenDepth = 0
  /// False from its first divergence on: what follows would only repeat it.
  var isJudged = true
  /// Whether older instances are known to lie above newer ones, whole words apart, as on one stack they
  /// do.
  var isOrdered = true
  /// How many of the oldest instances have all in them that are overwritten; 0 when none is.
  var overwritten = 0
  /// How many instances the handler must hold.
  var held = 0
  /// How many instances the last arrival at the trampoline popped, if it still owes returns.
  var popped = 0
  /// Which of them is due; not below `popped` when none is.
  var due = 0
}

/// One task of a replay: a name for its piece of memory, which never moves, and not a copy of it.
/// What every hit reads and writes is reached through this one pointer, without asking each time
/// whether the slot exists.
///
/// ``TaskTable`` makes these and owns the memory; none must outlive the table.
@safe struct JudgedTask {
  /// The state, and behind it the instances held and the instances popped.
  private let base: UnsafeMutablePointer<TaskState>

  /// Takes memory for a new task.
  init(slot: Int) {
    let bytes = Self.poppedOffset + Self.capacity * MemoryLayout<PoppedInstance>.stride
    let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 16)
    // The memory has room for each of the three parts at its offset, and all parts are initialized
    // before they are used: the state here, instances when they are pushed or popped.
    unsafe base = memory.initializeMemory(as: TaskState.self, repeating: TaskState(), count: 1)
    unsafe base.pointee.slot = slot
  }

  /// Gives the memory back; this was the last use of it.
  func deallocate() {
    unsafe UnsafeMutableRawPointer(base).deallocate()
  }

  /// The handler's depth limit: a task never holds more instances, and never pops more.
  static var capacity: Int { 64 }
  private static var heldOffset: Int { MemoryLayout<TaskState>.stride }
  private static var poppedOffset: Int {
    heldOffset + capacity * MemoryLayout<ShadowInstance>.stride
  }

  /// The state of the task.
  var state: TaskState {
    // Initialized since `init`, and alive as long as the table.
    @inline(__always) _read { yield unsafe base.pointee }
    @inline(__always) nonmutating _modify { yield unsafe &base.pointee }
  }

  var slot: Int { @inline(__always) get { state.slot } }
  var identity: ThreadIdentity { state.identity }
  var addressSpace: Int { @inline(__always) get { state.addressSpace } }

  /// The instance in a place of the list, 0 being the oldest.
  subscript(held place: Int) -> ShadowInstance {
    // All places below the capacity lie within the memory; those below `held` are initialized.
    @inline(__always) get {
      precondition(UInt(bitPattern: place) < UInt(Self.capacity))
      return unsafe (UnsafeMutableRawPointer(base) + Self.heldOffset)
        .assumingMemoryBound(to: ShadowInstance.self)[place]
    }
    @inline(__always) nonmutating set {
      precondition(UInt(bitPattern: place) < UInt(Self.capacity))
      unsafe (UnsafeMutableRawPointer(base) + Self.heldOffset)
        .assumingMemoryBound(to: ShadowInstance.self)[place] = newValue
    }
  }

  /// The instance in a place of the last arrival, in the order they were popped.
  subscript(popped place: Int) -> PoppedInstance {
    // All places below the capacity lie within the memory; those below `popped` are initialized.
    @inline(__always) get {
      precondition(UInt(bitPattern: place) < UInt(Self.capacity))
      return unsafe (UnsafeMutableRawPointer(base) + Self.poppedOffset)
        .assumingMemoryBound(to: PoppedInstance.self)[place]
    }
    @inline(__always) nonmutating set {
      precondition(UInt(bitPattern: place) < UInt(Self.capacity))
      unsafe (UnsafeMutableRawPointer(base) + Self.poppedOffset)
        .assumingMemoryBound(to: PoppedInstance.self)[place] = newValue
    }
  }
}
