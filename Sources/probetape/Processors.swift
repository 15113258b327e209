import FoundationEssentials

/// The processors that this process may use.
enum Processors {
  /// How many, asked once: it takes several files to tell, and a command is made several times while
  /// its arguments are read.
  static let count = ProcessInfo.processInfo.activeProcessorCount
}
