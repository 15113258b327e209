/// The x86-64 levels of the processor's psABI, which name the `glibc-hwcaps` subdirectories.
enum X86Levels {
  /// Processor flags, as `/proc/cpuinfo` names them, that each level adds.
  private static let levels: [(name: String, flags: [String])] = [
    ("x86-64-v2", ["cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"]),
    ("x86-64-v3", ["avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"]),
    ("x86-64-v4", ["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"]),
  ]

  /// The levels a processor with these flags has, best first.
  static func supported(flags: Set<Substring>) -> [String] {
    levels.prefix { $0.flags.allSatisfy { flags.contains($0[...]) } }.map(\.name).reversed()
  }

  /// The levels of the processor we run on, best first.
  static func ofThisMachine() -> [String] {
    guard let bytes = SmallFile.contents(of: "/proc/cpuinfo", limit: 1 << 20) else { return [] }
    let text = String(decoding: bytes, as: UTF8.self)
    guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("flags") }),
      let colon = line.firstIndex(of: ":")
    else { return [] }
    return supported(flags: Set(line[colon...].dropFirst().split(separator: " ")))
  }
}
