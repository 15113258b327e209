/// What one check of ``Doctor`` found.
public struct Finding: Sendable, Hashable {
  /// Whether the host can do what the check is about.
  public enum Verdict: String, Sendable, Hashable {
    /// It can.
    case yes
    /// It cannot, and so it cannot record.
    case no
    /// It cannot or nobody knows, but recording may do without.
    case unsure
  }

  /// What was checked, in a few words.
  public var name: String
  /// The outcome.
  public var verdict: Verdict
  /// What was seen that led to the verdict.
  public var seen: String
  /// What to do about a "no", as a command where there is one; empty when nothing needs doing.
  public var remedy: String

  /// A finding.
  public init(_ name: String, _ verdict: Verdict, seen: String, remedy: String = "") {
    self.name = name
    self.verdict = verdict
    self.seen = seen
    self.remedy = remedy
  }
}
