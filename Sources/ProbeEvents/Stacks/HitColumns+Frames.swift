/// A frame with what is known of its place.
public struct NamedFrame: Sendable, Hashable {
  /// The frame.
  public var frame: StackFrame
  /// The file it lies in; nil when its address is in no known mapping.
  public var file: StackFile?
  /// The function it lies in, demangled; nil when not known.
  public var function: String?
  /// Distance of the frame's address from the function's start.
  public var distance: UInt64
}

extension HitColumns {
  /// The user stack of a hit, innermost frame first; nil when the tape has none for it.
  ///
  /// This is the one place to ask: it needs the block to be read with its stacks
  /// (`TapeColumns.stacks`).
  public func frames(ofHit hit: Int) -> (frames: [NamedFrame], ending: StackEnding)? {
    guard hit < stacks.count, stacks[hit] > 0 else { return nil }
    let frames = stackTable.frames(of: stacks[hit]).map { frame in
      let function = stackSymbols.function(of: frame, in: stackTable)
      return NamedFrame(
        frame: frame, file: stackTable.file(of: frame), function: function?.name,
        distance: function?.distance ?? 0)
    }
    return (frames, stackTable.ending(of: stacks[hit]))
  }
}
