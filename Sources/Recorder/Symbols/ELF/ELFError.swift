/// Why a file could not be read as a 64-bit little-endian ELF file.
public enum ELFError: Error, Sendable, Hashable {
  /// There is no such file.
  case missing
  /// The file cannot be opened or read; the system's error number.
  case unreadable(errno: Int32)
  /// It is a directory.
  case directory
  /// It is a device, a pipe or a socket.
  case notRegular
  /// It starts with `#!`; the interpreter and its first argument as written there.
  case script(interpreter: String, argument: String?)
  /// It does not start as an ELF file does.
  case notELF
  /// Its class is 32-bit.
  case is32Bit(machine: UInt16)
  /// Its bytes are in big-endian order.
  case bigEndian
  /// It starts as an ELF file but contradicts itself.
  case damaged(String)
}
