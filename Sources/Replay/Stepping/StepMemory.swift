import KernelModel
import ProbeEvents

/// The memory of a task at a hit, as far as the tape has it: the stack window.
///
/// Writes go to a layer above it. A read of anything else gives zero and is remembered, because what
/// follows from it is a guess.
struct StepMemory: UserMemory {
  /// What was written last, by address.
  private(set) var writes: [(address: Address, value: UInt64)] = []
  /// Whether something was read that the tape does not have.
  private(set) var hasGuessed = false

  private let stackPointer: Address
  private let window: ArraySlice<UInt64>

  /// The memory above a stack pointer, in words of 8 bytes.
  init(stackPointer: Address, window: ArraySlice<UInt64>) {
    self.stackPointer = stackPointer
    self.window = window
  }

  mutating func readWord(at address: Address, bytes: Int) -> UInt64? {
    guard bytes == 8 else {
      hasGuessed = true
      return 0
    }
    if let written = writes.first(where: { $0.address == address }) { return written.value }
    let distance = address &- stackPointer
    guard distance % 8 == 0, distance / 8 < UInt64(window.count) else {
      hasGuessed = true
      return 0
    }
    return window[window.startIndex + Int(distance / 8)]
  }

  mutating func writeWord(_ value: UInt64, at address: Address, bytes: Int) -> Bool {
    writes.removeAll { $0.address == address }
    writes.append((address, value))
    return true
  }
}
