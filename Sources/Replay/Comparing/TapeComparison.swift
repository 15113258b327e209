import ProbeEvents
public import TapeFormat

/// Compares two recordings of the same program, whatever differs from run to run: addresses are
/// compared by mapped file and offset, stack pointers from the first one seen on their stack, threads
/// and processes by descent and order of creation. Times, CPUs, process numbers, stack words and (but
/// by wish) other registers are not compared; nor is how the threads were interleaved.
///
/// Each thread's steps are compared with those of its counterpart. One pass over each tape finds the
/// threads that differ, by a hash; only these are read again, step by step. Memory is bounded by a
/// block, and some words for each thread.
public struct TapeComparison: Sendable {
  /// What came out.
  public enum Outcome: Sendable, Hashable {
    case equal
    case different(TapeDifference)
  }

  /// What came out.
  public private(set) var outcome: Outcome
  /// Why a tape could not be compared as a whole; nil when both could.
  public private(set) var reason: String?
  /// Hits of the two tapes.
  public private(set) var hits: (first: UInt64, second: UInt64)
  /// Threads of the first tape.
  public private(set) var threads: Int

  /// Compares the tapes at two paths; `withRegisters` includes the registers that point into mapped
  /// files or stacks.
  public init(
    _ first: String, _ second: String, withRegisters: Bool = false
  ) throws(TapeError) {
    var names = ComparedNames()
    var tapes = (
      first: try ComparedTape(path: first, &names, withRegisters: withRegisters),
      second: try ComparedTape(path: second, &names, withRegisters: withRegisters)
    )
    let sequences = (
      first: try ThreadSequences(&tapes.first, &names),
      second: try ThreadSequences(&tapes.second, &names)
    )
    hits = (tapes.first.hits, tapes.second.hits)
    threads = sequences.first.threads.count
    reason =
      tapes.first.reason.map { "\(first): \($0)" } ?? tapes.second.reason.map { "\(second): \($0)" }
    outcome = .equal
    if tapes.first.header.kernel.architecture != tapes.second.header.kernel.architecture {
      outcome = .different(TapeDifference(what: "the architectures differ"))
      return
    }
    let finder = DifferenceFinder(first: first, second: second, withRegisters: withRegisters)
    if let found = try finder.find(sequences.first, sequences.second) {
      outcome = .different(found)
    } else if let ends = Self.ends(tapes.first.targetExit, tapes.second.targetExit) {
      outcome = .different(ends)
    }
  }

  private static func ends(_ first: TargetExit?, _ second: TargetExit?) -> TapeDifference? {
    guard let first, let second, first != second else { return nil }
    return TapeDifference(
      what: "the targets ended differently", lines: ["- \(first)", "+ \(second)"])
  }
}

/// The first difference between two tapes.
public struct TapeDifference: Sendable, Hashable {
  /// In what they differ.
  public var what: String
  /// The hits there on the two tapes; nil where it is not about a hit.
  public var firstHit: UInt64?, secondHit: UInt64?
  /// The thread by descent and order of creation, `0.1`; nil where it is not about one.
  public var thread: String?
  /// The steps around it: what both have begins with a space, what only the first has with `-`, what
  /// only the second has with `+`.
  public var lines: [String]

  init(
    what: String, firstHit: UInt64? = nil, secondHit: UInt64? = nil, thread: String? = nil,
    lines: [String] = []
  ) {
    self.what = what
    self.firstHit = firstHit
    self.secondHit = secondHit
    self.thread = thread
    self.lines = lines
  }
}
