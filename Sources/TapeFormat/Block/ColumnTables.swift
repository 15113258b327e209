import ProbeEvents

/// The judged columns of a block as tables; see ``Table``.
struct ColumnTables {
  var kinds: Table<HitKind>
  var flags: Table<HitFlags>
  var probes: Table<UInt32>
  var threads: Table<UInt32>
  var instructionPointers: Table<UInt64>
  var stackPointers: Table<UInt64>
  var links: Table<UInt64>
  var functions: Table<UInt64>
  var words: Table<UInt64>
  var starts: Table<UInt32>

  /// Where a hit's call returns to, as far as the columns tell.
  @inline(__always)
  func site(of hit: Int, _ kind: HitKind, _ convention: CallConvention) -> UInt64 {
    switch kind {
    case .return: return instructionPointers[hit]
    case .entry: break
    }
    if convention.hasLink { return links[hit] }
    // The index is below the number of hits, and there is one more start.
    let start = unsafe starts[unchecked: hit]
    let end = unsafe starts[unchecked: hit &+ 1]
    guard end > start else { return instructionPointers[hit] }
    return convention.returnAddress(word: words[Int(start)], flags[hit])
  }

  /// A word of the window of a hit, named by its index plus one; 0 where there is none.
  @inline(__always)
  func word(_ place: Int, of reference: Int) -> UInt64 {
    guard reference != 0 else { return 0 }
    // References are hits of this block whose windows are known, and there is one more start.
    let start = unsafe starts[unchecked: reference &- 1]
    let end = unsafe starts[unchecked: reference]
    let at = Int(start) &+ place
    return at < Int(end) ? words[at] : 0
  }

  /// What a return looks like that answers an entry, named by its index plus one.
  @inline(__always)
  func expectedReturn(
    from entry: Int, _ state: ThreadState, _ convention: CallConvention
  ) -> (probe: UInt32, stackPointer: UInt64, address: UInt64, function: UInt64) {
    guard entry != 0 else { return (0, state.stackPointer, 0, 0) }
    let index = entry &- 1
    let address =
      convention.hasLink
      ? links[index] : convention.returnAddress(word: word(0, of: entry), state.flags)
    // An open call is a hit of this block.
    let probe = unsafe probes[unchecked: index]
    let stackPointer = unsafe stackPointers[unchecked: index]
    let function = unsafe functions[unchecked: index]
    return (probe, stackPointer &+ convention.returnStep(state.flags), address, function)
  }
}

extension HitColumns {
  /// Gives every judged column its full length, without care for what is in it.
  mutating func resizeJudged(hits: Int, words: Int, hasLink: Bool) {
    kinds.resize(hits, .entry)
    flags.resize(hits, [])
    probes.resize(hits, 0)
    threads.resize(hits, 0)
    instructionPointers.resize(hits, 0)
    stackPointers.resize(hits, 0)
    linkRegisters.resize(hasLink ? hits : 0, 0)
    functions.resize(hits, 0)
    windowWords.resize(words, 0)
    windowStarts.resize(hits + 1, 0)
  }

  /// Gives the judged columns as tables for the time of a call.
  mutating func withTables<Result, Failure>(
    _ body: (ColumnTables) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    return try withPair(&kinds, &flags) { (kinds, flags) throws(Failure) in
      try withPair(&probes, &threads) { (probes, threads) throws(Failure) in
        try withPair(&instructionPointers, &stackPointers) {
          (instructions, stacks) throws(Failure) in
          try withPair(&linkRegisters, &functions) { (links, functions) throws(Failure) in
            try withPair(&windowWords, &windowStarts) { (words, starts) throws(Failure) in
              try body(
                ColumnTables(
                  kinds: kinds, flags: flags, probes: probes, threads: threads,
                  instructionPointers: instructions, stackPointers: stacks, links: links,
                  functions: functions, words: words, starts: starts))
            }
          }
        }
      }
    }
  }
}

extension HitColumns {
  /// Gives the judged columns, and marks of a word for each hit, as tables for the time of a call.
  mutating func withMarkTables<Result, Failure>(
    of word: UInt64, hits: Int,
    _ body: (ColumnTables, Table<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    markedWord = word
    marks.resize(hits, 0)
    var taken: [UInt8] = []
    swap(&taken, &marks)
    defer { swap(&taken, &marks) }
    // The buffer spans a whole array that stays where it is until `body` returns.
    return try unsafe taken.withUnsafeMutableBufferPointer { (buffer) throws(Failure) in
      let marks = unsafe Table(buffer)
      return try withTables { (tables) throws(Failure) in try body(tables, marks) }
    }
  }
}

extension HitColumns {
  /// Gives the judged columns and the registers as tables for the time of a call.
  mutating func withRegisterTables<Result, Failure>(
    _ body: (ColumnTables, Table<UInt64>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    var taken: [UInt64] = []
    swap(&taken, &registers)
    defer { swap(&taken, &registers) }
    // The buffer spans a whole array that stays where it is until `body` returns.
    return try unsafe taken.withUnsafeMutableBufferPointer { (buffer) throws(Failure) in
      let registers = unsafe Table(buffer)
      return try withTables { (tables) throws(Failure) in try body(tables, registers) }
    }
  }
}

/// Gives two arrays as tables for the time of a call, which must not keep them.
private func withPair<First: BitwiseCopyable, Second: BitwiseCopyable, Result, Failure>(
  _ first: inout [First], _ second: inout [Second],
  _ body: (Table<First>, Table<Second>) throws(Failure) -> Result
) throws(Failure) -> Result {
  // Both buffers span whole arrays that stay where they are until `body` returns.
  return try unsafe first.withUnsafeMutableBufferPointer { (first) throws(Failure) in
    try unsafe second.withUnsafeMutableBufferPointer { (second) throws(Failure) in
      try unsafe body(Table(first), Table(second))
    }
  }
}

extension Array {
  /// Gives an array a length; what it holds then does not matter.
  mutating func resize(_ length: Int, _ filler: Element) {
    if count < length {
      append(contentsOf: repeatElement(filler, count: length - count))
    } else if count > length {
      removeLast(count - length)
    }
  }
}
