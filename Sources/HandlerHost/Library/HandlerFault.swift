/// Something a foreign handler did that no kernel does, whatever the tape says.
public struct HandlerFault: Sendable, Hashable {
  /// In what way.
  public enum Kind: Sendable, Hashable {
    /// It reported an impossible state of its own, or contradicted what it said before.
    case inconsistent
    /// It read or wrote user memory that a kernel would have left alone, or left alone what a
    /// kernel would have written.
    case memory
  }

  /// In what way.
  public var kind: Kind
  /// What a kernel does there.
  public var expected: String
  /// What the handler did.
  public var actual: String

  init(_ kind: Kind, expected: String, actual: String) {
    self.kind = kind
    self.expected = expected
    self.actual = actual
  }
}
