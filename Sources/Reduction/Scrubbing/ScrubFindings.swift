/// What a tape has that its owner may not want to publish.
public struct ScrubFindings: Sendable, Hashable {
  /// Arguments of the recorded command.
  public var arguments = 0
  /// Names of folders, in probes, mappings and earlier commands.
  public var folders = 0
  /// Names of threads and programs.
  public var names = 0
  /// Things known of the recording host: its kernel's build, its CPUs, its clocks.
  public var hostFacts = 0
  /// Registers of hits that are not needed for judging and not 0.
  public var registers: UInt64 = 0
  /// Stack words that are not needed for judging and not 0.
  public var stackWords: UInt64 = 0

  /// Nothing.
  public init() {}

  /// Whether there is nothing.
  public var isEmpty: Bool { self == ScrubFindings() }
}
