import Glibc
internal import ProbeEvents
import SystemPackage

/// A kernel source tree, or a revision of one in a git repository.
public struct KernelTree: Sendable, Hashable {
  /// The directory.
  public var directory: String
  /// The revision; nil for the files as they lie in the directory.
  public var revision: String?

  /// A tree or a revision of it.
  public init(directory: String, revision: String? = nil) {
    self.directory = directory
    self.revision = revision
  }

  /// A tree from `DIR` or `DIR@REV`. A directory whose own name holds an `@` is taken as it is.
  public init(_ text: String) {
    guard !Self.isDirectory(text), let mark = text.lastIndex(of: "@") else {
      self.init(directory: text)
      return
    }
    self.init(
      directory: String(text[..<mark]), revision: String(text[text.index(after: mark)...]))
  }

  /// The form `init(_:)` takes.
  public var text: String { revision.map { "\(directory)@\($0)" } ?? directory }

  /// The files the return-probe logic of an architecture is in, definitions before uses.
  static func files(_ architecture: Architecture) -> [String] {
    switch architecture {
    case .x86_64:
      [
        "arch/x86/include/asm/uprobes.h", "include/linux/uprobes.h",
        "kernel/events/uprobes.c", "arch/x86/kernel/uprobes.c",
      ]
    case .aarch64:
      [
        "arch/arm64/include/asm/uprobes.h", "include/linux/uprobes.h",
        "kernel/events/uprobes.c", "arch/arm64/kernel/probes/uprobes.c",
      ]
    }
  }

  /// All files of all architectures: what a change must touch to matter.
  public static let relevantFiles = Array(
    Set(Architecture.allCases.flatMap { files($0) })
  ).sorted()

  /// The contents of the architecture's files, in the order of ``files(_:)``.
  func read(_ architecture: Architecture) throws(KernelSourceError) -> [(String, [UInt8])] {
    guard Self.isDirectory(directory) else { throw .noDirectory(directory) }
    let files = Self.files(architecture)
    var contents: [(String, [UInt8])] = []
    var missing: [String] = []
    if let revision { try check(revision) }
    for file in files {
      if let bytes = try revision.map({ rev throws(KernelSourceError) in try show(file, rev) })
        ?? Self.bytes(of: directory + "/" + file)
      {
        contents.append((file, bytes))
      } else {
        missing.append(file)
      }
    }
    guard let first = missing.first else { return contents }
    throw contents.isEmpty
      ? .notAKernelTree(text, missing: first) : .incompleteTree(text, missing: first)
  }

  private func check(_ revision: String) throws(KernelSourceError) {
    let repository = try git(["rev-parse", "--git-dir"])
    guard repository.status == 0 else {
      throw .notARepository(directory, reason: Self.firstLine(repository.errors))
    }
    let commit = try git(["rev-parse", "--verify", "--quiet", "\(revision)^{commit}"])
    guard commit.status == 0 else { throw .unknownRevision(directory, revision: revision) }
  }

  private func show(_ file: String, _ revision: String) throws(KernelSourceError) -> [UInt8]? {
    // `./` makes the path relative to the directory, which need not be the top of the repository.
    let shown = try git(["show", "\(revision):./\(file)"])
    return shown.status == 0 ? shown.output : nil
  }

  private func git(_ arguments: [String]) throws(KernelSourceError) -> HelperProcess.Outcome {
    do {
      return try HelperProcess.run(["git", "-C", directory] + arguments)
    } catch {
      throw .cannotRun("git", reason: error.description)
    }
  }

  private static func firstLine(_ text: String) -> String {
    String(text.split(separator: "\n").first ?? "no reason given")
  }

  private static func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// The bytes of a regular file of at most 16 MiB; nil when there is none.
  private static func bytes(of path: String) -> [UInt8]? {
    SmallFiles.read(path, limit: 1 << 24)
  }
}
