/// The architecture a tape was recorded on. Both are always compiled; the tape's header picks one.
public enum Architecture: UInt8, Sendable, Hashable, CaseIterable {
  case x86_64 = 1
  case aarch64 = 2

  /// The name `uname -m` prints.
  public var name: String {
    switch self {
    case .x86_64: "x86_64"
    case .aarch64: "aarch64"
    }
  }

  /// The architecture with the given `uname -m` name, or nil when there is no model for it.
  public init?(name: String) {
    guard let match = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = match
  }

  /// Which registers a hit carries, and where the special ones are.
  public var registerLayout: RegisterLayout {
    switch self {
    case .x86_64: .x86_64
    case .aarch64: .aarch64
    }
  }
}
