import ProbeEvents

/// The text form of a user stack: a line for each frame, innermost first.
enum FrameText {
  static func lines(_ columns: HitColumns, _ hit: Int) -> [String] {
    guard let stack = columns.frames(ofHit: hit) else { return [] }
    return stack.frames.map { line($0) } + (note(stack.ending).map { ["         ... " + $0] } ?? [])
  }

  private static func line(_ named: NamedFrame) -> String {
    let offset = pad(hexadecimal(named.frame.offset), to: 18, left: true)
    guard let file = named.file else { return "       \(offset) [unknown]" }
    let name = named.function.map { "\(printable($0))+\(hexadecimal(named.distance))" }
    return "       \(offset) \(name ?? "[unknown]") (\(printable(file.path)))"
  }

  /// Why there are no more frames, where that is not the stack's end.
  private static func note(_ ending: StackEnding) -> String? {
    switch ending {
    case .complete: nil
    case .windowEnd: "further frames lie beyond the stack bytes on the tape"
    case .noUnwindInformation: "no unwind information, or no frame pointer"
    case .noFile: "file not found"
    case .unknownTrampoline: "a return probe of before the recording"
    case .frameLimit: "more frames"
    case .notUnwound: "not unwound"
    }
  }
}
