import SystemPackage

/// The history of a kernel's return-probe files in a git repository.
public struct KernelHistory: Sendable {
  /// The repository's directory.
  public let directory: String

  /// The history in a directory.
  public init(directory: String) {
    self.directory = directory
  }

  /// The full name of a revision's commit.
  public func commit(_ revision: String) throws(KernelSourceError) -> String {
    let repository = try git(["rev-parse", "--git-dir"])
    guard repository.status == 0 else {
      throw .notARepository(directory, reason: repository.errors.firstLine)
    }
    let found = try git([
      "rev-parse", "--verify", "--quiet", "--end-of-options", "\(revision)^{commit}",
    ])
    guard found.status == 0 else { throw .unknownRevision(directory, revision: revision) }
    return text(found).firstLine
  }

  /// Whether a commit is built on another.
  public func isAncestor(_ older: String, of newer: String) throws(KernelSourceError) -> Bool {
    try git(["merge-base", "--is-ancestor", older, newer]).status == 0
  }

  /// The commits behind one and up to another that touch the files, children first, each followed by
  /// its parents among them.
  public func commits(
    from older: String, to newer: String
  ) throws(KernelSourceError) -> [String] {
    let listed = try git(
      ["rev-list", "--topo-order", "--parents", newer, "^\(older)", "--"]
        + KernelTree.relevantFiles.map { "./\($0)" })
    guard listed.status == 0 else {
      throw .cannotRun("git rev-list", reason: listed.errors.firstLine)
    }
    return text(listed).split(separator: "\n").map(String.init)
  }

  /// A commit's short name and subject.
  public func subject(_ commit: String) throws(KernelSourceError) -> String {
    text(try git(["log", "-1", "--format=%h %s", commit])).firstLine
  }

  private func text(_ outcome: HelperProcess.Outcome) -> String {
    String(decoding: outcome.output, as: UTF8.self)
  }

  private func git(_ arguments: [String]) throws(KernelSourceError) -> HelperProcess.Outcome {
    do {
      return try HelperProcess.run(["git", "-C", directory] + arguments)
    } catch {
      throw .cannotRun("git", reason: error.description)
    }
  }
}

extension String {
  /// The text up to the first line end.
  var firstLine: String { String(prefix { $0 != "\n" }) }
}
