import ProbeEvents
import TapeFormat

/// The hit at which a handler and a tape part, as the tape has it.
struct SceneHit {
  /// Place in its block, and index on the tape.
  var index: Int, hit: UInt64
  var kind: HitKind
  var isCompat: Bool
  var probe: UInt32
  var thread: ThreadIdentity
  var function: Address
  /// Of a return: where to.
  var instructionPointer: Address
  var stackPointer: Address
  /// Of an entry: as the program had it; nil when the tape does not have it.
  var returnAddress: Address?

  init(_ columns: HitColumns, _ index: Int, _ hit: UInt64, _ header: TapeHeader) {
    self.index = index
    self.hit = hit
    kind = columns.kinds[index]
    isCompat = columns.flags[index].contains(.compat)
    probe = columns.probes[index]
    thread = columns.threadTable[Int(columns.threads[index])]
    function = columns.functions[index]
    instructionPointer = columns.instructionPointers[index]
    stackPointer = columns.stackPointers[index]
    let start = Int(columns.windowStarts[index])
    if header.kernel.architecture.registerLayout.linkRegister != nil {
      returnAddress = columns.linkRegisters[index]
    } else if Int(columns.windowStarts[index + 1]) > start {
      let word = columns.windowWords[start]
      returnAddress = isCompat ? word & 0xFFFF_FFFF : word
    }
  }

  /// The call that an entry begins.
  var call: FollowedCall {
    FollowedCall(
      probe: probe, function: instructionPointer, entered: hit, slot: stackPointer,
      returnAddress: returnAddress ?? 0, isChained: false, fate: .held)
  }

  /// The slot that a return came through, where a return address lies on the stack.
  func slot(_ architecture: Architecture) -> Address {
    switch architecture {
    case .x86_64: stackPointer &- (isCompat ? 4 : 8)
    case .aarch64: stackPointer
    }
  }
}
