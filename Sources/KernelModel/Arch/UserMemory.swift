public import ProbeEvents

/// A task's memory, as far as the kernel touches it at a probe.
public protocol UserMemory {
  /// The little-endian word of 1...8 bytes at an address; nil when it cannot be read.
  mutating func readWord(at address: Address, bytes: Int) -> UInt64?

  /// Writes a little-endian word of 1...8 bytes; false when it cannot be written.
  mutating func writeWord(_ value: UInt64, at address: Address, bytes: Int) -> Bool
}
