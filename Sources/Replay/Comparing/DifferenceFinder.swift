import ProbeEvents
import TapeFormat

/// Finds where two tapes part whose threads do not all have equal hashes.
struct DifferenceFinder {
  let first: String
  let second: String
  let withRegisters: Bool

  /// How many threads that differ are looked into, in order of creation.
  private static let threadsMax = 32
  /// Steps shown around a difference, and how far it is looked for a place where both go on alike.
  private static let context = 3
  private static let reach = 48

  /// The difference that comes first on the first tape; nil when all threads are equal.
  func find(
    _ first: ThreadSequences, _ second: ThreadSequences
  ) throws(TapeError) -> TapeDifference? {
    let paths = Set(first.threads.keys).union(second.threads.keys)
    let differing = paths.filter { first.threads[$0]?.hash != second.threads[$0]?.hash }
      .sorted { $0.lexicographicallyPrecedes($1) }
    var best: TapeDifference?
    for path in differing.prefix(Self.threadsMax) {
      guard let found = try compare(path) else { continue }
      if let known = best, order(known) <= order(found) { continue }
      best = found
    }
    return best
  }

  private func order(_ difference: TapeDifference) -> UInt64 {
    difference.firstHit ?? difference.secondHit ?? .max
  }

  /// Reads one thread of both tapes side by side.
  private func compare(_ path: [Int]) throws(TapeError) -> TapeDifference? {
    var names = ComparedNames()
    let tape = try ComparedTape(path: first, &names, withRegisters: withRegisters)
    let registers = tape.header.kernel.architecture.registerLayout.names
    var left = ThreadSteps(tape, path: path)
    var right = ThreadSteps(
      try ComparedTape(path: second, &names, withRegisters: withRegisters), path: path)
    var before: [ComparedTape.Placed] = []
    while true {
      let pair = (try left.next(&names), try right.next(&names))
      if pair.0 == nil, pair.1 == nil { return nil }
      if let one = pair.0, let other = pair.1, one.step == other.step {
        if before.count == Self.context { before.removeFirst() }
        before.append(one)
        continue
      }
      let ahead = (
        try gather(pair.0, &left, &names), try gather(pair.1, &right, &names)
      )
      let text = StepText(names: names)
      return TapeDifference(
        what: what(pair.0, pair.1, registers), firstHit: pair.0?.hit, secondHit: pair.1?.hit,
        thread: path.map(String.init).joined(separator: "."),
        lines: before.map { "  " + text.line($0) } + aligned(ahead.0, ahead.1, text))
    }
  }

  private func gather(
    _ found: ComparedTape.Placed?, _ steps: inout ThreadSteps, _ names: inout ComparedNames
  ) throws(TapeError) -> [ComparedTape.Placed] {
    guard let found else { return [] }
    var ahead = [found]
    while ahead.count < Self.reach, let step = try steps.next(&names) { ahead.append(step) }
    return ahead
  }

  private func what(
    _ one: ComparedTape.Placed?, _ other: ComparedTape.Placed?, _ registers: [String]
  ) -> String {
    guard let one else { return "only the second goes on" }
    guard let other else { return "only the first goes on" }
    guard case .hit(let left) = one.step, case .hit(let right) = other.step else {
      return "another thing happened"
    }
    return "not the same: " + left.differences(right, registers: registers).joined(separator: ", ")
  }

  /// Both sides up to where they go on alike, the nearest place at which two steps agree.
  private func aligned(
    _ left: [ComparedTape.Placed], _ right: [ComparedTape.Placed], _ text: StepText
  ) -> [String] {
    let (ahead, other) = meeting(left, right)
    let shown = (
      left.prefix(ahead.map { $0 } ?? Self.context), right.prefix(other.map { $0 } ?? Self.context)
    )
    var lines = shown.0.map { "- " + text.line($0) } + shown.1.map { "+ " + text.line($0) }
    if let ahead {
      lines += left.dropFirst(ahead).prefix(Self.context).map { "  " + text.line($0) }
    }
    return lines
  }

  private func meeting(
    _ left: [ComparedTape.Placed], _ right: [ComparedTape.Placed]
  ) -> (Int?, Int?) {
    for sum in 1..<max(2, left.count + right.count) {
      for one in max(0, sum - right.count)...min(sum, left.count) {
        let other = sum - one
        let agreed = zip(left.dropFirst(one), right.dropFirst(other)).prefix(2).map {
          $0.step == $1.step
        }
        if agreed == [true, true] { return (one, other) }
      }
    }
    return (nil, nil)
  }
}
