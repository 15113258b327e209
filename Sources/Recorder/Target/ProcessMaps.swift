import ProbeEvents

/// `/proc/PID/maps`.
enum ProcessMaps {
  /// The executable mappings of a process, in address order; empty when it is gone.
  static func executable(of process: Int32) -> [Mapping] {
    guard let text = try? Syscalls.text(of: "/proc/\(process)/maps") else { return [] }
    return text.split(separator: "\n").compactMap { mapping($0, process: process) }
  }

  /// One line: `START-END PERM OFFSET DEVICE INODE   NAME`; nil when it is not executable.
  static func mapping(_ line: Substring, process: Int32) -> Mapping? {
    let fields = line.split(separator: " ", maxSplits: 5)
    guard fields.count >= 5, fields[1].contains("x"), let offset = UInt64(fields[2], radix: 16)
    else { return nil }
    let ends = fields[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
    guard ends.count == 2, ends[0] < ends[1] else { return nil }
    let name = fields.count > 5 ? String(fields[5].drop { $0 == " " }) : ""
    return Mapping(
      process: process, start: ends[0], length: ends[1] - ends[0], fileOffset: offset,
      // What a mapping record calls memory without a file.
      path: name.isEmpty ? "//anon" : name)
  }
}
