import FoundationEssentials
import ProbeEvents
import Replay

/// A line that a judge writes to its supervisor.
///
/// Conclusions about hits come often, so they are words; what comes once for each tape or thread is
/// JSON.
enum JudgeLine {
  /// Something was concluded about a hit.
  case concluded(AnnotatedConclusion)
  /// A block of the tape is done.
  case endOfBlock
  /// A tape is done.
  case tape(ConclusionMessage)
  /// The judge gives up, for a reason that is not the handler's end.
  case refusal(String)

  /// A line that no judge writes.
  struct Malformed: Error, CustomStringConvertible {
    var line: String
    var description: String { "the handler's process wrote '\(line.prefix(80))'" }
  }

  /// The line, without its end.
  func text() throws -> String {
    switch self {
    case .concluded(let annotated):
      "c \(annotated.hit) \(annotated.depth) " + (try Self.text(annotated.conclusion))
    case .endOfBlock: "b"
    case .tape(let message): try JSONReport.encode(message, isPretty: false)
    case .refusal(let reason): "e " + reason.replacing("\n", with: " ")
    }
  }

  /// Reads a line.
  init(_ line: String) throws {
    if line.hasPrefix("{") {
      self = .tape(try JSONDecoder().decode(ConclusionMessage.self, from: Data(line.utf8)))
    } else if line == "b" {
      self = .endOfBlock
    } else if line.hasPrefix("e ") {
      self = .refusal(String(line.dropFirst(2)))
    } else {
      guard let annotated = try Self.annotated(line) else { throw Malformed(line: line) }
      self = .concluded(annotated)
    }
  }

  private static func text(_ conclusion: HitConclusion) throws -> String {
    switch conclusion {
    case .entry(let entry): return "entry \(entry.outcome.rawValue) \(entry.dropped)"
    case .returned(let popped, let dropped):
      return "returned \(popped.entry) \(popped.function) \(popped.originalReturnAddress) "
        + "\(popped.handlersRan ? 1 : 0) \(dropped)"
    case .returnOfUnseenEntry: return "unseen"
    case .signal(let number): return "signal \(number)"
    case .unjudged: return "unjudged"
    case .diverged(let divergence):
      return "diverged "
        + (try JSONReport.encode(ConclusionMessage.Disagreement(divergence), isPretty: false))
    }
  }

  private static func annotated(_ line: String) throws -> AnnotatedConclusion? {
    let words = line.split(separator: " ", maxSplits: 4, omittingEmptySubsequences: false)
    guard words.count >= 4, words[0] == "c", let hit = UInt64(words[1]), let depth = Int(words[2]),
      let conclusion = try conclusion(words[3], words.count > 4 ? words[4] : "")
    else { return nil }
    return AnnotatedConclusion(hit: hit, depth: depth, conclusion: conclusion)
  }

  private static func conclusion(
    _ kind: Substring, _ rest: Substring
  ) throws -> HitConclusion? {
    if kind == "diverged" {
      let message = try JSONDecoder().decode(
        ConclusionMessage.Disagreement.self, from: Data(rest.utf8))
      return .diverged(message.divergence)
    }
    let numbers = rest.split(separator: " ").compactMap { UInt64($0) }
    switch (kind, numbers.count) {
    case ("entry", 2):
      guard let raw = UInt8(exactly: numbers[0]), let dropped = UInt8(exactly: numbers[1]),
        let outcome = EntryConclusion.Outcome(rawValue: raw)
      else { return nil }
      return .entry(EntryConclusion(outcome, dropped: dropped))
    case ("returned", 5):
      let popped = PoppedInstance(
        entry: numbers[0], function: numbers[1], originalReturnAddress: numbers[2],
        handlersRan: numbers[3] == 1)
      return .returned(popped, dropped: Int(clamping: numbers[4]))
    case ("signal", 1): return .signal(Int32(clamping: numbers[0]))
    case ("unseen", 0): return .returnOfUnseenEntry
    case ("unjudged", 0): return .unjudged
    default: return nil
    }
  }
}
