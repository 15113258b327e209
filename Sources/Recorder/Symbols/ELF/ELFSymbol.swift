/// A function in a symbol table.
public struct ELFSymbol: Sendable, Hashable {
  /// How far the symbol is seen, in the order in which one name is preferred over its aliases.
  public enum Binding: UInt8, Sendable, Hashable, Comparable {
    case global, weak, local

    /// Orders by preference.
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
  }

  /// The name in the table, mangled for C++, without its version.
  public var name: String
  /// The version, as in `malloc@GLIBC_2.2.5`, where the table gives one.
  public var version: String?
  /// Whether a program that names no version gets this symbol.
  public var isDefaultVersion: Bool
  /// Virtual address of the first instruction, before relocation.
  public var address: UInt64
  /// Length in bytes; 0 where the table does not say.
  public var size: UInt64
  /// How far the symbol is seen.
  public var binding: Binding
  /// Whether the address is that of a resolver, run by the loader to choose an implementation.
  public var isIndirect: Bool

  /// The name with the version, where it is not the default one.
  public var displayName: String {
    guard let version, !isDefaultVersion else { return name }
    return name + "@" + version
  }
}
