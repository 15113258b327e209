import Glibc

/// A system call that failed: what was tried, and the errno.
struct SystemFailure: Error, Hashable {
  /// What was tried, for the reader of an error message.
  var operation: String
  /// The errno.
  var number: Int32

  /// The C library's words for the errno.
  var text: String { Self.text(number) }

  static func text(_ number: Int32) -> String {
    switch number {
    // Not in the C library's table, but what the kernel answers for an instruction it cannot probe.
    case 524: "Not supported by the kernel"
    default:
      // strerror's text is static or thread-local, and copied before anything else runs.
      if let text = unsafe strerror(number) { unsafe String(cString: text) } else { "error" }
    }
  }
}
