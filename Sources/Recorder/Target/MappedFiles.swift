import ProbeEvents

/// The files that running processes execute code from.
public enum MappedFiles {
  /// Absolute paths of the files that any of the processes has mapped executable, sorted; nothing
  /// for processes that are gone or not readable.
  public static func paths(of processes: [Int32]) -> [String] {
    var paths: Set<String> = []
    for process in processes {
      for mapping in ProcessMaps.executable(of: process) where mapping.path.hasPrefix("/") {
        paths.insert(mapping.path)
      }
    }
    return paths.filter { !$0.hasPrefix("//") }.sorted()
  }
}
