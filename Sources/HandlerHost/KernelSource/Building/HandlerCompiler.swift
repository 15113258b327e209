import Glibc
import SystemPackage

/// Runs the host's C compiler, with a cache of what it built.
struct HandlerCompiler {
  /// How to build.
  var isSanitized: Bool

  private static let flags = [
    "-std=gnu11", "-O2", "-g1", "-fPIC", "-shared", "-fno-strict-aliasing",
    "-fno-delete-null-pointer-checks", "-Werror=implicit-function-declaration",
    "-Werror=implicit-int", "-Werror=int-conversion", "-Wl,-z,defs", "-x", "c",
  ]
  private static let sanitizerFlags = [
    "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-sanitize=alignment",
    "-fno-omit-frame-pointer", "-Wl,-z,nodefs",
  ]

  /// The compiler: `CC`, or `cc`.
  static var name: String {
    // The environment is not changed while it is read: nothing in this program calls setenv.
    unsafe getenv("CC").map { unsafe String(cString: $0) } ?? "cc"
  }

  /// The shared library built from a C file, from the cache when the very same text was built with
  /// the same flags before.
  func library(of text: [UInt8]) throws(KernelSourceError) -> String {
    let directory = try HandlerCache.directory()
    let flags = Self.flags + (isSanitized ? Self.sanitizerFlags : [])
    let banner = Array("/* \(Self.name) \(flags.joined(separator: " ")) */\n".utf8)
    let content = banner + text
    let stem = directory + "/" + HandlerCache.name(content)
    if SmallFiles.read(stem + ".c", limit: 1 << 24) == content,
      unsafe access(stem + ".so", R_OK) == 0
    {
      return stem + ".so"
    }
    // Built beside and renamed, so that others see all of it or nothing.
    let draft = "\(stem).\(getpid())"
    defer {
      _ = unsafe unlink(draft + ".c")
      _ = unsafe unlink(draft + ".so")
    }
    do {
      try SmallFiles.write(content, to: draft + ".c")
    } catch {
      throw .cache("\(draft).c: \(error.description)")
    }
    try compile(flags + [draft + ".c", "-o", draft + ".so"])
    guard unsafe rename(draft + ".so", stem + ".so") == 0,
      unsafe rename(draft + ".c", stem + ".c") == 0
    else { throw .cache("\(stem): \(Errno(rawValue: errno).description)") }
    return stem + ".so"
  }

  /// The runtime library that a sanitized handler needs loaded before everything else.
  static func sanitizerRuntime() throws(KernelSourceError) -> String {
    let found = try run([name, "-print-file-name=libasan.so"])
    let path =
      String(decoding: found.output, as: UTF8.self)
      .split(separator: "\n").first.map(String.init) ?? ""
    guard found.status == 0, path.hasPrefix("/") else {
      throw .noSanitizer("\(name) has no libasan.so")
    }
    return path
  }

  private func compile(_ arguments: [String]) throws(KernelSourceError) {
    let outcome = try Self.run([Self.name] + arguments)
    guard outcome.status != 0 else { return }
    throw CompilerMessage.explain(outcome.errors)
  }

  private static func run(_ arguments: [String]) throws(KernelSourceError)
    -> HelperProcess.Outcome
  {
    do {
      return try HelperProcess.run(arguments)
    } catch {
      throw error == .noSuchFileOrDirectory
        ? .noCompiler(name) : .cannotRun(name, reason: error.description)
    }
  }
}
