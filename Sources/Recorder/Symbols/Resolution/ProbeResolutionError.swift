/// Everything that is wrong with a list of probe specifications, so that one run shows it all.
public struct ProbeResolutionError: Error, Sendable, Hashable {
  /// One specification that leads to no probe.
  public struct Failure: Sendable, Hashable {
    /// The specification as the user wrote it.
    public let specification: String
    /// Why it leads to none.
    public let problem: ProbeProblem
  }

  /// The failures in the order of the specifications; at least one.
  public let failures: [Failure]
}

extension ProbeResolutionError: CustomStringConvertible {
  /// One line for each failure.
  public var description: String {
    failures.map { "\($0.specification.printable): \($0.problem)" }.joined(separator: "\n")
  }
}
