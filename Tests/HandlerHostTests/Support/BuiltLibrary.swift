import HandlerHost

/// A handler library built for one test.
struct BuiltLibrary {
  let path: String
  private let directory: TemporaryDirectory

  private static var include: String { Repository.root + "/Sources/CProbeHandler/include" }

  /// Builds C text.
  init(source: String) throws {
    directory = try TemporaryDirectory()
    path = directory.path + "/handler.so"
    let file = directory.path + "/handler.c"
    try SmallFiles.write(Array(source.utf8), to: file)
    try TemporaryDirectory.run(
      "cc", "-O1", "-fPIC", "-shared", "-I", Self.include, file, "-o", path)
  }

  /// Builds an example, with one place changed.
  init(example: String, replacing old: String = "", by new: String = "") throws {
    let file = "\(Repository.root)/tools/examples/\(example)"
    var text = String(decoding: SmallFiles.read(file, limit: 1 << 20) ?? [], as: UTF8.self)
    if !old.isEmpty {
      guard text.contains(old) else {
        throw KernelSources.Reason(description: "\(example) has no '\(old)'")
      }
      text = text.replacing(old, with: new)
    }
    try self.init(source: text)
  }

  /// Builds an example in Swift.
  init(swiftExample: String) throws {
    directory = try TemporaryDirectory()
    path = directory.path + "/handler.so"
    try TemporaryDirectory.run(
      "swiftc", "-O", "-emit-library", "-import-objc-header", Self.include + "/probe_handler.h",
      "\(Repository.root)/tools/examples/\(swiftExample)", "-o", path)
  }
}
