/// Why a kernel tree does not become a handler.
public enum KernelSourceError: Error, Sendable, Hashable, CustomStringConvertible {
  /// There is no such directory.
  case noDirectory(String)
  /// The directory or repository has none of the files.
  case notAKernelTree(String, missing: String)
  /// Some files are there and others are not.
  case incompleteTree(String, missing: String)
  /// The directory is no git repository, but a revision was asked for.
  case notARepository(String, reason: String)
  /// git does not know the revision.
  case unknownRevision(String, revision: String)
  /// The files are there, but a function is not: too old, or another project.
  case missingFunction(String, name: String)
  /// The functions mention something that neither the tree nor the stand-ins define.
  case unknownSymbol(name: String, place: String)
  /// The compiler refuses the functions for another reason; with its first message.
  case doesNotCompile(String)
  /// There is no C compiler: none of that name, or none at all.
  case noCompiler(named: String?)
  /// The compiler has no sanitizer library.
  case noSanitizer(String)
  /// The cache directory cannot be written.
  case cache(String)
  /// A helper program could not be run.
  case cannotRun(String, reason: String)

  /// What happened, and what helps.
  public var description: String {
    switch self {
    case .noDirectory(let path): "\(path): there is no such directory"
    case .notAKernelTree(let path, let missing):
      "\(path) is no kernel source tree: it has no \(missing)"
    case .incompleteTree(let path, let missing):
      "\(path) is an incomplete kernel source tree: \(missing) is missing"
    case .notARepository(let path, let reason):
      "\(path) is no git repository to take a revision from: \(reason)"
    case .unknownRevision(let path, let revision):
      "\(path) has no revision '\(revision)'"
    case .missingFunction(let path, let name):
      "\(path) does not define \(name): a kernel before 3.10, or no kernel"
    case .unknownSymbol(let name, let place):
      "\(place) needs '\(name)', which neither the tree's probe files define nor the stand-ins "
        + "know"
    case .doesNotCompile(let message): "the tree's probe functions do not compile: \(message)"
    case .noCompiler(let name?):
      "there is no C compiler '\(name)', which CC names: install it, or name another"
    case .noCompiler(nil):
      "there is no C compiler, neither cc nor gcc nor clang: install one, or name one in CC"
    case .noSanitizer(let reason): "the C compiler cannot sanitize: \(reason)"
    case .cache(let reason): "the cache of built handlers cannot be used: \(reason)"
    case .cannotRun(let name, let reason): "\(name) cannot be run: \(reason)"
    }
  }
}
