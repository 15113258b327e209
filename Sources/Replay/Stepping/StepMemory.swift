import KernelModel
import ProbeEvents

/// The memory of a task at a hit, as far as the tape has it: the stack window.
///
/// Writes go to a layer above it. A read of anything else gives zero and is remembered, because what
/// follows from it is a guess.
struct StepMemory: UserMemory {
  /// A word that was written.
  struct Write {
    var address: Address
    var value: UInt64
    /// Bytes of it: 8, or 4 in a 32-bit task.
    var bytes: Int
  }

  /// What was written last.
  private(set) var writes: [Write] = []
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
    if let known = knownWord(at: address, bytes: bytes) { return known }
    hasGuessed = true
    return 0
  }

  /// The word at an address; nil when the tape does not have it.
  func knownWord(at address: Address, bytes: Int) -> UInt64? {
    if let written = writes.first(where: { $0.address == address && $0.bytes == bytes }) {
      return written.value
    }
    return Self.word(at: address, bytes: bytes, window, stackPointer: stackPointer)
  }

  mutating func writeWord(_ value: UInt64, at address: Address, bytes: Int) -> Bool {
    writes.removeAll { $0.address == address }
    writes.append(
      Write(address: address, value: bytes == 8 ? value : value & 0xffff_ffff, bytes: bytes))
    return true
  }

  /// The word of 4 or 8 bytes at an address of a stack window; nil when it is not all in there.
  static func word(
    at address: Address, bytes: Int, _ window: ArraySlice<UInt64>, stackPointer: Address
  ) -> UInt64? {
    let distance = address &- stackPointer
    guard bytes == 8 || bytes == 4, distance % UInt64(bytes) == 0,
      distance / 8 < UInt64(window.count)
    else { return nil }
    // Below the window's count, so within an Int.
    let word = window[window.startIndex + Int(distance / 8)]
    guard bytes == 4 else { return word }
    return distance % 8 == 0 ? word & 0xffff_ffff : word >> 32
  }
}
