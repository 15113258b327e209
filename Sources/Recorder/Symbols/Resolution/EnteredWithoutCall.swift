/// Code that is entered otherwise than by a call, so that no return address is where a return probe
/// takes it from.
enum EnteredWithoutCall {
  /// How the code of a symbol is entered; nil for what is called.
  static func reason(_ symbol: String) -> String? {
    if symbol.split(separator: ".").dropFirst().contains("cold") {
      return "it is part of a function and is jumped to"
    }
    return runtime.first { symbol == $0.name || $0.isPrefix && symbol.hasPrefix($0.name) }?.reason
  }

  /// Places in the C library and the loader that start or resume something.
  private static let runtime: [(name: String, isPrefix: Bool, reason: String)] = [
    ("_start", false, "the kernel starts the program there, nothing calls it"),
    ("_dl_start_user", false, "the loader goes on there, nothing calls it"),
    ("_dl_runtime_resolve", true, "it is jumped to with its arguments on the stack"),
    ("_dl_runtime_profile", true, "it is jumped to with its arguments on the stack"),
    ("__restore_rt", false, "a signal handler returns to it"),
    ("__start_context", false, "a context's function returns to it"),
  ]
}
