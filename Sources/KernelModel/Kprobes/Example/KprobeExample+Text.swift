public import ProbeEvents

extension KprobeExample {
  /// What the module said, a line each, with the architecture's names for the registers.
  public func text(_ architecture: Architecture) -> [String] {
    lines.map { $0.text(architecture) }
  }
}

extension KprobeExample.Line {
  /// The line, with the architecture's names for the registers.
  public func text(_ architecture: Architecture) -> String {
    let (pointer, flags) =
      switch architecture {
      case .x86_64: ("ip", "flags")
      case .aarch64: ("pc", "pstate")
      }
    return switch self {
    case .refused(let error): "refused: error \(error)"
    case .planted(let address): "planted at \(Self.hex(address))"
    case .before(let address, let instructionPointer, let value):
      "before \(Self.hex(address)): \(pointer) \(Self.hex(instructionPointer)),"
        + " \(flags) \(Self.hex(value))"
    case .after(let address, let value):
      "after \(Self.hex(address)): \(flags) \(Self.hex(value))"
    case .fault(let address, let trap): "fault at \(Self.hex(address)): trap \(trap)"
    case .removed(let address?): "removed from \(Self.hex(address))"
    case .removed(nil): "was not there to be removed"
    }
  }

  private static func hex(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }
}
