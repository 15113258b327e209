import Glibc
import SystemPackage

/// Builds handlers with the host's C compiler, with a cache of what was built.
struct HandlerCompiler {
  private let compiler: CCompiler
  /// What decides about the code, and so names it in the cache.
  private let flags: [String]

  private static let baseFlags = [
    "-std=gnu11", "-O2", "-g1", "-fPIC", "-shared", "-fno-strict-aliasing",
    "-fno-delete-null-pointer-checks", "-Werror=implicit-function-declaration",
    "-Werror=implicit-int", "-Werror=int-conversion", "-x", "c",
  ]
  /// A sanitized library leaves the runtime's symbols to the process that loads it.
  private static let plainFlags = ["-Wl,-z,defs"]
  private static let sanitizerFlags = [
    "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-sanitize=alignment",
    "-fno-omit-frame-pointer",
  ]
  /// Handlers are called through pointers of an older signature, which clang alone can check.
  private static let clangSanitizerFlags = ["-shared-libasan", "-fno-sanitize=function"]

  /// A compiler for plain or for sanitized handlers.
  init(isSanitized: Bool) throws(KernelSourceError) {
    compiler = try CCompiler()
    var flags = Self.baseFlags + (isSanitized ? Self.sanitizerFlags : Self.plainFlags)
    if isSanitized, try compiler.isClang() { flags += Self.clangSanitizerFlags }
    self.flags = flags
  }

  /// The shared library built from a C file, from the cache when the very same text was built with
  /// the same flags before.
  func library(of text: [UInt8]) throws(KernelSourceError) -> String {
    let directory = try HandlerCache.directory()
    let banner = Array("/* \(compiler.name) \(flags.joined(separator: " ")) */\n".utf8)
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
    try compile(flags + Self.placeFlags + [draft + ".c", "-o", draft + ".so"])
    guard unsafe rename(draft + ".so", stem + ".so") == 0,
      unsafe rename(draft + ".c", stem + ".c") == 0
    else { throw .cache("\(stem): \(Errno(rawValue: errno).description)") }
    return stem + ".so"
  }

  /// Takes the directory we happen to run in out of the names that debug information has, and with it
  /// out of a sanitizer's reports.
  private static var placeFlags: [String] {
    guard let place = unsafe getcwd(nil, 0) else { return [] }
    // Allocated by getcwd, which ends it with a zero.
    defer { unsafe free(place) }
    return ["-fdebug-prefix-map=\(unsafe String(cString: place))=."]
  }

  private func compile(_ arguments: [String]) throws(KernelSourceError) {
    let outcome = try compiler.run(arguments)
    guard outcome.status != 0 else { return }
    throw CompilerMessage.explain(outcome.errors)
  }
}
