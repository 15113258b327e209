import Glibc
import SystemPackage

/// The host's C compiler: the one that `CC` names, else the first of `cc`, `gcc` and `clang` that is
/// in `PATH`.
struct CCompiler {
  private static let candidates = ["cc", "gcc", "clang"]

  /// The program, and the arguments that `CC` may have behind it.
  let words: [String]

  /// As messages and the cache name it.
  var name: String { words.joined(separator: " ") }

  /// Chooses. Throws when `CC` is not set and no compiler is in `PATH`.
  init() throws(KernelSourceError) {
    let named = (Self.variable("CC") ?? "").split(separator: " ").map(String.init)
    if !named.isEmpty {
      words = named
    } else if let found = Self.candidates.first(where: Self.isInPath) {
      words = [found]
    } else {
      throw .noCompiler(named: nil)
    }
  }

  /// Runs it. Throws when `CC` names something that cannot be started.
  func run(_ arguments: [String]) throws(KernelSourceError) -> HelperProcess.Outcome {
    do {
      return try HelperProcess.run(words + arguments)
    } catch {
      throw error == .noSuchFileOrDirectory
        ? .noCompiler(named: name) : .cannotRun(name, reason: error.description)
    }
  }

  /// Whether it is clang, which keeps its sanitizers elsewhere than gcc.
  func isClang() throws(KernelSourceError) -> Bool {
    let version = try run(["--version"])
    return String(decoding: version.output, as: UTF8.self).contains("clang")
  }

  /// The runtime library that a sanitized handler needs loaded before everything else.
  func sanitizerRuntime() throws(KernelSourceError) -> String {
    // Clang's own file names: one with the architecture, one in a folder of the target.
    let candidates =
      try isClang()
      ? ["libclang_rt.asan-\(try architecture()).so", "libclang_rt.asan.so"] : ["libasan.so"]
    for candidate in candidates {
      let found = try run(["-print-file-name=\(candidate)"])
      let path = String(decoding: found.output, as: UTF8.self).firstLine
      // A compiler that does not have the file prints the bare name.
      if found.status == 0, path.hasPrefix("/"), unsafe access(path, R_OK) == 0 { return path }
    }
    throw .noSanitizer("\(name) has no \(candidates.joined(separator: " or "))")
  }

  /// The first part of its target, for example `x86_64`.
  private func architecture() throws(KernelSourceError) -> String {
    let machine = String(decoding: try run(["-dumpmachine"]).output, as: UTF8.self)
    return String(machine.prefix { $0 != "-" })
  }

  private static func isInPath(_ program: String) -> Bool {
    // What a shell takes when there is no PATH.
    (variable("PATH") ?? "/usr/bin:/bin").split(separator: ":").contains { directory in
      unsafe access("\(directory)/\(program)", X_OK) == 0
    }
  }

  private static func variable(_ name: String) -> String? {
    // The environment is not changed while it is read: nothing in this program calls setenv.
    unsafe getenv(name).map { unsafe String(cString: $0) }
  }
}
