import Glibc
import HandlerHost

/// Where the tests get a kernel's source from: Debian's package, by `tools/kernel-source`.
enum KernelSources {
  /// The tree of `linux-source-6.1`, or why it cannot be had.
  static let debian61: Result<String, Reason> = fetch("linux-source-6.1")

  struct Reason: Error, CustomStringConvertible {
    var description: String
  }

  /// Whether there is a tree to test with; prints why not.
  static var hasDebian61: Bool {
    switch debian61 {
    case .success: return true
    case .failure(let reason):
      print("skipped: \(reason)")
      return false
    }
  }

  private static func fetch(_ package: String) -> Result<String, Reason> {
    guard let outcome = try? HelperProcess.run([Repository.root + "/tools/kernel-source", package])
    else { return .failure(Reason(description: "tools/kernel-source cannot be run")) }
    guard outcome.status == 0 else { return .failure(Reason(description: outcome.errors)) }
    return .success(
      String(decoding: outcome.output, as: UTF8.self).split(separator: "\n").joined())
  }
}

/// The checked-out repository that these tests are part of.
enum Repository {
  static var root: String {
    String(#filePath.split(separator: "/").dropLast(4).reduce("") { $0 + "/" + $1 })
  }
}

/// A directory that vanishes with its test.
final class TemporaryDirectory {
  let path: String

  init() throws {
    var name = Array("/tmp/probetape-test-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&name) != nil else { throw KernelSources.Reason(description: "mkdtemp") }
    path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit {
    _ = try? HelperProcess.run(["rm", "-rf", path])
  }

  /// Writes a file into it and gives its path.
  func file(_ name: String, _ bytes: [UInt8]) throws -> String {
    let whole = "\(path)/\(name)"
    try SmallFiles.write(bytes, to: whole)
    return whole
  }

  /// Runs a program and gives its output; throws what it complains about.
  @discardableResult
  static func run(_ arguments: String...) throws -> String {
    let outcome = try HelperProcess.run(arguments)
    guard outcome.status == 0 else {
      throw KernelSources.Reason(
        description: arguments.joined(separator: " ") + ": " + outcome.errors)
    }
    return String(decoding: outcome.output, as: UTF8.self)
  }
}
