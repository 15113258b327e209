import ProbeEvents

/// One step of a thread as two recordings of it are compared: all that must be the same in both.
enum ComparedStep: Hashable, Sendable {
  case hit(NormalHit)
  case fork(isThread: Bool)
  case exec
  case exit
  case signal(number: Int32, code: Int32, isHandled: Bool, at: NormalAddress)
}

/// A hit without what differs from run to run.
struct NormalHit: Hashable, Sendable {
  var kind: HitKind
  /// Number of the probe in the ``ComparedNames``.
  var probe: Int
  var flags: UInt8
  var function: NormalAddress
  /// Of a return: where to.
  var instructionPointer: NormalAddress
  var stackPointer: NormalAddress
  /// Of an entry: the return address found; nil where the tape does not have it.
  var returnAddress: NormalAddress?
  /// By column of the layout; empty unless asked for.
  var registers: [NormalAddress]

  /// In what two hits differ, for people.
  func differences(_ other: NormalHit, registers names: [String]) -> [String] {
    var found: [String] = []
    if kind != other.kind { found.append("kind") }
    if probe != other.probe { found.append("probe") }
    if flags != other.flags { found.append("flags") }
    if function != other.function { found.append("function") }
    if instructionPointer != other.instructionPointer { found.append("instruction pointer") }
    if stackPointer != other.stackPointer { found.append("stack pointer") }
    if returnAddress != other.returnAddress { found.append("return address") }
    for (column, pair) in zip(registers, other.registers).enumerated() where pair.0 != pair.1 {
      found.append("register \(names[column])")
    }
    return found
  }
}
