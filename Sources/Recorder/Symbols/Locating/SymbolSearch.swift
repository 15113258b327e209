import Glibc
public import ProbeEvents

/// Where files are looked for: the environment of the launched command, and the system's own places.
///
/// Tests and tools for other machines put their own directories here.
public struct SymbolSearch: Sendable {
  /// `PATH`; nil when the environment has none.
  public var programPath: String?
  /// `LD_LIBRARY_PATH`; nil when the environment has none.
  public var libraryPath: String?
  /// `LD_PRELOAD`; nil when the environment has none.
  public var preload: String?
  /// The loader's cache of libraries.
  public var libraryCache: String
  /// The directories the loader searches last.
  public var libraryDirectories: [String]
  /// Roots of separate debug files, each with a `.build-id` directory.
  public var debugRoots: [String]
  /// The architecture a probed file must be for; nil when this machine's is unknown.
  public var architecture: Architecture?
  /// Names of `glibc-hwcaps` subdirectories this machine's loader prefers, best first.
  public var hardwareCapabilities: [String]

  /// A search for a given architecture in the given places only.
  public init(
    programPath: String? = nil, libraryPath: String? = nil, preload: String? = nil,
    libraryCache: String = "", libraryDirectories: [String] = [], debugRoots: [String] = [],
    architecture: Architecture?, hardwareCapabilities: [String] = []
  ) {
    self.programPath = programPath
    self.libraryPath = libraryPath
    self.preload = preload
    self.libraryCache = libraryCache
    self.libraryDirectories = libraryDirectories
    self.debugRoots = debugRoots
    self.architecture = architecture
    self.hardwareCapabilities = hardwareCapabilities
  }

  /// This machine's places and this process's environment.
  public static func host() -> SymbolSearch {
    let architecture = hostArchitecture()
    let triplet = (architecture?.name ?? "") + "-linux-gnu"
    return SymbolSearch(
      programPath: environment("PATH"), libraryPath: environment("LD_LIBRARY_PATH"),
      preload: environment("LD_PRELOAD"), libraryCache: "/etc/ld.so.cache",
      libraryDirectories: [
        "/lib/" + triplet, "/usr/lib/" + triplet, "/lib64", "/usr/lib64", "/lib", "/usr/lib",
      ],
      debugRoots: ["/usr/lib/debug"], architecture: architecture,
      hardwareCapabilities: architecture == .x86_64 ? X86Levels.ofThisMachine() : [])
  }

  private static func environment(_ name: String) -> String? {
    // `name` is passed with its terminating zero; the value is copied before anything can change
    // the environment.
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
  }

  private static func hostArchitecture() -> Architecture? {
    var names = utsname()
    // `names` is a whole structure of the type the call fills.
    guard unsafe uname(&names) == 0 else { return nil }
    // The kernel terminates the field with a zero inside its fixed length.
    let machine = unsafe withUnsafeBytes(of: &names.machine) { bytes in
      unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    return Architecture(name: machine)
  }
}
