import TapeFormat

/// The steps of one thread of a tape, one after the other, read again from the start.
struct ThreadSteps {
  private var tape: ComparedTape
  private let path: [Int]
  private var block: ArraySlice<ComparedTape.Placed> = []

  init(_ tape: ComparedTape, path: [Int]) {
    self.tape = tape
    self.path = path
  }

  /// The next step; nil at the end of the tape.
  mutating func next(_ names: inout ComparedNames) throws(TapeError) -> ComparedTape.Placed? {
    while true {
      while let placed = block.popFirst() {
        if placed.path == path { return placed }
      }
      guard let steps = try tape.next(&names) else { return nil }
      block = steps[...]
    }
  }
}
