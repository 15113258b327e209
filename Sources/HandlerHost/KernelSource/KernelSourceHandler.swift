public import ProbeEvents

/// Makes a handler library of a kernel's own return-probe functions.
public enum KernelSourceHandler {
  /// Extracts the functions from a tree, compiles them against the stand-ins and returns the path of
  /// the library. Work done before for the same text is found in the cache.
  public static func build(
    _ tree: KernelTree, architecture: Architecture, isSanitized: Bool = false
  ) throws(KernelSourceError) -> String {
    let generated = try GeneratedSource(tree, try tree.read(architecture), architecture)
    return try HandlerCompiler(isSanitized: isSanitized).library(of: generated.text)
  }

  /// The C text that ``build(_:architecture:isSanitized:)`` compiles, for tools that change it.
  public static func generate(
    _ tree: KernelTree, architecture: Architecture
  ) throws(KernelSourceError) -> [UInt8] {
    try GeneratedSource(tree, try tree.read(architecture), architecture).text
  }

  /// The sanitizer's runtime library, which must be loaded first in a process that loads a
  /// sanitized handler.
  public static func sanitizerRuntime() throws(KernelSourceError) -> String {
    try HandlerCompiler.sanitizerRuntime()
  }
}
