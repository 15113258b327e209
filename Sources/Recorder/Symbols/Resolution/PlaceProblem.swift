/// Why no probe can be set at a place in a file, though the place itself is known.
public enum PlaceProblem: Error, Sendable, Hashable {
  /// A distance at or behind the function's end.
  case offsetBeyondFunction(symbol: String, offset: UInt64, size: UInt64)
  /// A place inside an instruction; distances of the instructions around it.
  case insideInstruction(symbol: String, offset: UInt64, before: UInt64, after: UInt64)
  /// Bytes before or at the place that are no known instruction.
  case undecodable(symbol: String, offset: UInt64, at: UInt64)
  /// A return probe behind a function's start, or where no function starts.
  case returnOffFunctionStart(place: String, function: String?)
  /// A return probe on code that is entered without a call, so has no return address.
  case returnWithoutCall(symbol: String, reason: String)
  /// An offset that no executable segment of the file maps.
  case notExecutable(path: String, offset: UInt64)
  /// A symbol whose address no executable segment of the file maps.
  case symbolNotExecutable(path: String, symbol: String)
  /// A reference counter at an odd offset.
  case misalignedCounter(String)
  /// A reference counter that no writable segment of the file maps.
  case counterNotWritable(path: String, counter: String)
  /// An instruction the kernel does not probe.
  case refusedInstruction(place: String, reason: String)
}

extension PlaceProblem: CustomStringConvertible {
  /// What is wrong, and what to do about it.
  public var description: String { text.printable }

  private var text: String {
    switch self {
    case .offsetBeyondFunction(let symbol, let offset, let size):
      "\(symbol) is \(size) bytes long: +\(Self.hex(offset)) is beyond its end"
    case .insideInstruction(let symbol, let offset, let before, let after):
      "\(symbol)+\(Self.hex(offset)) is inside an instruction; write +\(Self.hex(before)) or"
        + " +\(Self.hex(after))"
    case .undecodable(let symbol, let offset, let at):
      "\(symbol)+\(Self.hex(offset)) cannot be checked: the bytes at +\(Self.hex(at)) are no known"
        + " instruction; choose a place before them"
    case .returnOffFunctionStart(let place, let function):
      "\(place) is not the start of a function, and only there is the return address where the"
        + " kernel takes it from" + (function.map { "; write \($0)" } ?? "")
    case .returnWithoutCall(let symbol, let reason):
      "\(symbol) cannot have a return probe: \(reason); the kernel would overwrite something else"
        + " in place of a return address"
    case .notExecutable(let path, let offset):
      "offset \(Self.hex(offset)) of \(path) is not in an executable segment; an offset in the file"
        + " is wanted, not a virtual address (readelf -lW shows both)"
    case .symbolNotExecutable(let path, let symbol):
      "'\(symbol)' in \(path) is not in an executable segment of the file"
    case .misalignedCounter(let counter):
      "a reference counter has two bytes, and the kernel refuses one at an odd offset: \(counter)"
    case .counterNotWritable(let path, let counter):
      "\(counter) in \(path) is not in a writable segment, so the kernel would never count it; a"
        + " reference counter's offset in the file is wanted (readelf -lW, readelf -n)"
    case .refusedInstruction(let place, let reason):
      "the kernel refuses to probe \(place): \(reason); choose another instruction"
    }
  }

  private static func hex(_ number: UInt64) -> String { "0x" + String(number, radix: 16) }
}
