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

  /// The sanitizer's runtime library, which must be loaded first in a process that loads a
  /// sanitized handler.
  public static func sanitizerRuntime() throws(KernelSourceError) -> String {
    try CCompiler().sanitizerRuntime()
  }
}
