/// Why a handler and a tape disagree, for people: both views of the calls in question, what led
/// there, and one sentence.
public struct Explanation: Sendable, Hashable, Codable {
  /// A call as the handler sees it and as the tape shows it.
  public struct Call: Sendable, Hashable, Codable {
    /// Name of its probe.
    public var name: String
    /// The hit that entered it; nil when the tape has no such hit.
    public var entered: UInt64?
    /// Where its return address lies (on link-register architectures: the stack pointer at entry).
    public var slot: UInt64
    /// What became of its return instance in the handler.
    public var handler: String
    /// What the tape shows of it.
    public var tape: String
  }

  /// The disagreement in plain words.
  public var sentence: String
  /// Whose rules the handler followed.
  public var rules: String
  /// The calls of the thread that either side has open or that the disagreement is about, newest
  /// first.
  public var calls: [Call]
  /// How many older calls are not listed.
  public var olderCalls: Int
  /// The hits that led there, in the order of the tape.
  public var history: [String]

  /// An explanation.
  public init(
    sentence: String, rules: String, calls: [Call], olderCalls: Int, history: [String]
  ) {
    self.sentence = sentence
    self.rules = rules
    self.calls = calls
    self.olderCalls = olderCalls
    self.history = history
  }
}
