/// Finds a program by its name as `execvp` does.
enum CommandLookup {
  /// What `execvp` searches when there is no `PATH`.
  private static let defaultPath = "/bin:/usr/bin"

  /// The path of the program that a command's first word runs, or nil when there is none.
  static func find(_ name: String, programPath: String?) -> String? {
    guard !name.contains("/") else { return FileIdentity(path: name) == nil ? nil : name }
    guard !name.isEmpty else { return nil }
    return (programPath ?? defaultPath).split(separator: ":", omittingEmptySubsequences: false)
      // An empty part is the current directory.
      .map { $0.isEmpty ? "./" + name : "\($0)/\(name)" }
      .first(where: FileIdentity.isExecutable)
  }
}
