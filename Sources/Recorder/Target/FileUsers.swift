import Glibc

/// Who executes code from a file.
enum FileUsers {
  /// Which of the paths' files a process outside the given ones has mapped executable now.
  ///
  /// A file is known by its number on whatever device, or by its path: what file systems tell about
  /// their devices in `/proc/PID/maps` and in `stat` need not agree. A file taken for another by
  /// mistake only counts as shared.
  static func shared(_ paths: Set<String>, outside processes: Set<Int32>) -> Set<String> {
    var numbers: [UInt64: Set<String>] = [:]
    for path in paths {
      // Whoever cannot be asked counts as shared.
      guard let number = number(of: path) else { return paths }
      numbers[number, default: []].insert(path)
    }
    var shared: Set<String> = []
    for name in Syscalls.names(in: "/proc") {
      guard let process = Int32(name), !processes.contains(process),
        let text = try? Syscalls.text(of: "/proc/\(process)/maps")
      else { continue }
      for line in text.split(separator: "\n") {
        guard let file = executedFile(line) else { continue }
        shared.formUnion(numbers[file.number] ?? [])
        if paths.contains(file.path) { shared.insert(file.path) }
      }
    }
    return shared
  }

  /// Inode number and path of a line of `/proc/PID/maps`; nil when nothing is executed from a file
  /// there.
  static func executedFile(_ line: Substring) -> (number: UInt64, path: String)? {
    let fields = line.split(separator: " ", maxSplits: 5)
    guard fields.count == 6, fields[1].contains("x"), let number = UInt64(fields[4]), number != 0
    else { return nil }
    return (number, String(fields[5].drop { $0 == " " }))
  }

  private static func number(of path: String) -> UInt64? {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    return UInt64(status.st_ino)
  }
}
