/// What a tape lacks as a whole, so that a replay cannot compare everything it compares otherwise.
/// Tapes of our own recorder lack nothing; those made of other tools' recordings may.
///
/// Stored as the fact ``KernelFact/Name/evidence``.
public enum EvidenceLimit: Sendable, Hashable {
  /// Only the order of returns can be compared: stack pointers or return addresses are missing. Why.
  case order(String)
  /// Nothing can be compared. Why.
  case nothing(String)

  private static let orderPrefix = "order: "
  private static let nonePrefix = "none: "

  /// The limit that a fact states; nil when it states none.
  public init?(_ fact: KernelFact?) {
    guard let value = fact?.value else { return nil }
    if value.hasPrefix(Self.orderPrefix) {
      self = .order(String(value.dropFirst(Self.orderPrefix.count)))
    } else if value.hasPrefix(Self.nonePrefix) {
      self = .nothing(String(value.dropFirst(Self.nonePrefix.count)))
    } else {
      return nil
    }
  }

  /// The fact that states it.
  public var fact: KernelFact {
    switch self {
    case .order(let why): KernelFact(.evidence, Self.orderPrefix + why)
    case .nothing(let why): KernelFact(.evidence, Self.nonePrefix + why)
    }
  }
}

extension EvidenceLimit: CustomStringConvertible {
  /// What can be checked and why not more.
  public var description: String {
    switch self {
    case .order(let why):
      "only the order of returns can be checked, no chaining, return addresses or stacks: \(why)"
    case .nothing(let why): "nothing can be checked: \(why)"
    }
  }
}

extension KernelFacts {
  /// What the tape lacks as a whole; nil when nothing.
  public var evidenceLimit: EvidenceLimit? { EvidenceLimit(self[.evidence]) }
}
