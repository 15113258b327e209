import ProbeEvents

/// One thread of a synthetic program: its real call stack, its stack memory and its registers.
///
/// What returns is decided here from the call stack alone, by what a program can do, and never from
/// return instances: so a synthetic tape is no echo of the model it is replayed through.
struct SyntheticThread {
  /// A call on the real stack.
  struct Frame {
    /// Probes of the call and of the tail calls that replaced it, outermost first.
    var probes: [UInt32]
    /// Where the return address lies; on a link-register architecture the stack pointer at entry.
    var slot: Address
    /// Where the call returns to.
    var returnAddress: Address
    /// Where this frame's own calls put their return address: always the same place, as compiled
    /// code has it.
    var calleeSlot: Address
  }

  static let memoryWords = 8192
  /// Calls in progress; with up to ``chainMax`` instances each they stay below the kernel's limit.
  static let depthMax = 15
  /// Probed functions that one call passes through by tail calls.
  static let chainMax = 4

  let identity: ThreadIdentity
  let stackTop: Address
  var frames: [Frame] = []
  var memory: [UInt64]
  var registers = RegisterFile()
  var cpu: UInt16

  init(identity: ThreadIdentity, stackTop: Address, cpu: UInt16) {
    self.identity = identity
    self.stackTop = stackTop
    self.cpu = cpu
    memory = Array(repeating: 0, count: Self.memoryWords)
  }

  /// Where the next call of the innermost frame puts its return address.
  var nextSlot: Address { frames.last?.calleeSlot ?? stackTop - 1024 }

  subscript(word address: Address) -> UInt64 {
    get { memory[Self.memoryWords - Int((stackTop - address) / 8)] }
    set { memory[Self.memoryWords - Int((stackTop - address) / 8)] = newValue }
  }

  /// The words of a stack window.
  func window(at stackPointer: Address, words: Int) -> ArraySlice<UInt64> {
    let first = Self.memoryWords - Int((stackTop - stackPointer) / 8)
    return memory[first..<min(first + words, Self.memoryWords)]
  }
}
