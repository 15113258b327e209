import Glibc
import HandlerHost

/// The built `probetape`, beside the test program.
enum CommandLineTool {
  static var path: String {
    get throws {
      var buffer = [CChar](repeating: 0, count: 4096)
      let count = unsafe readlink("/proc/self/exe", &buffer, buffer.count)
      let program = String(
        decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
      // The test program may be the toolchain's own; then its first argument names the bundle.
      for candidate in [program] + CommandLine.arguments {
        let directory = candidate.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 }
        let tool = directory + "/probetape"
        if unsafe access(tool, X_OK) == 0 { return tool }
      }
      throw KernelSources.Reason(description: "there is no built probetape beside \(program)")
    }
  }

  static func run(_ arguments: String...) throws -> HelperProcess.Outcome {
    try HelperProcess.run([try path] + arguments)
  }

  /// Runs it with variables set, `NAME=VALUE`, in front of it.
  static func run(
    environment: [String], _ arguments: String...
  ) throws -> HelperProcess.Outcome {
    try HelperProcess.run(["/usr/bin/env"] + environment + [try path] + arguments)
  }
}

extension HelperProcess.Outcome {
  /// What was written to standard output, as text.
  var text: String { String(decoding: output, as: UTF8.self) }
}
