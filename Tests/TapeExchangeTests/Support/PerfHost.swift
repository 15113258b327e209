import Foundation

/// Debian's perf on this host, with the probes of one program, in a mount namespace that goes with
/// it. Tracefs need not be mounted on the host.
enum PerfHost {
  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  /// A perf.data with what `perf script` says about it.
  struct Recorded {
    var data: String
    var script: String
    /// The target's process where one was attached to.
    var log: String
  }

  /// Why live tests cannot run here; nil when they can.
  static let refusal: String? = {
    guard geteuid() == 0 else { return "not root" }
    for tool in ["perf", "cc", "unshare"] {
      if (try? shell("command -v \(tool)")) == nil { return "no \(tool)" }
    }
    do {
      let folder = try Folder()
      let program = try folder.compile(
        "__attribute__((noipa)) void f(void) {} int main(void) { f(); }")
      let recorded = try record(folder, program, ["f"])
      return ObservedHit.parse(recorded.script).count == 2
        ? nil : "a trial recording brought no hits: \(recorded.script)"
    } catch {
      return "a trial recording failed: \(error)"
    }
  }()

  /// Whether they can; prints why not.
  static let canRecord: Bool = {
    if let refusal { print("live perf tests skipped: \(refusal)") }
    return refusal == nil
  }()

  /// A folder that is removed with the value.
  final class Folder {
    let path: String

    init() throws {
      path =
        FileManager.default.temporaryDirectory
        .appending(path: "probetape-perf-\(UUID().uuidString)").path
      try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Compiles a C program.
    func compile(_ source: String, options: [String] = []) throws -> String {
      try Data(source.utf8).write(to: URL(filePath: path + "/program.c"))
      let more = options.joined(separator: " ")
      _ = try shell(
        "cd '\(path)' && cc -O1 -fcf-protection=none -pthread \(more) -o program program.c")
      return path + "/program"
    }
  }

  /// Records entry and return of functions of a program.
  ///
  /// `command` is a shell line with `$EVENTS` and `$PROGRAM`, which leaves the file `$DATA`.
  static func record(
    _ folder: Folder, _ program: String, _ functions: [String],
    _ command: String =
      "perf record -q -k CLOCK_MONOTONIC -e \"$EVENTS\" --call-graph dwarf,64 -o $DATA -- $PROGRAM",
    isPipe: Bool = false
  ) throws -> Recorded {
    let group = "probetape_test_\(getpid())_\(abs(folder.path.hashValue) % 100_000)"
    var lines = [
      "set -e",
      "[ -e /sys/kernel/tracing/uprobe_events ] || mount -t tracefs nodev /sys/kernel/tracing",
      "cd '\(folder.path)'",
      "export PERF_CONFIG=/dev/null PROGRAM='\(program)' EVENTS='\(group):*' DATA=perf.data",
      "trap 'perf probe -q -d \"\(group):*\" >/dev/null 2>&1' EXIT",
    ]
    for function in functions {
      lines.append("perf probe -q -x \"$PROGRAM\" '\(group):\(function)=\(function)'")
      lines.append("perf probe -q -x \"$PROGRAM\" '\(group):\(function)=\(function)%return'")
    }
    lines.append(command + " >log 2>&1 </dev/null")
    let source = isPipe ? "-i - < perf.data" : "-i perf.data"
    // It refuses files that perf did not finish; then there is no judge.
    lines.append("perf script --ns -F tid,time,event,trace \(source) 2>/dev/null || true")
    let script = folder.path + "/record.sh"
    try Data(lines.joined(separator: "\n").utf8).write(to: URL(filePath: script))
    let text: String
    do {
      text = try shell("unshare -m bash '\(script)'")
    } catch {
      let log = (try? String(contentsOfFile: folder.path + "/log", encoding: .utf8)) ?? ""
      throw Failure(description: "\(error) \(log)")
    }
    return Recorded(
      data: folder.path + "/perf.data", script: text,
      log: (try? String(contentsOfFile: folder.path + "/log", encoding: .utf8)) ?? "")
  }

  /// Runs a shell command and returns what it prints.
  @discardableResult
  static func shell(_ command: String) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/bash")
    process.arguments = ["-c", command]
    let output = Pipe()
    let errors = FileManager.default.temporaryDirectory.appending(
      path: "probetape-errors-\(UUID().uuidString)")
    try Data().write(to: errors)
    defer { try? FileManager.default.removeItem(at: errors) }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = try FileHandle(forWritingTo: errors)
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      let text = (try? String(contentsOf: errors, encoding: .utf8)) ?? ""
      throw Failure(description: "status \(process.terminationStatus): \(text.suffix(300))")
    }
    return String(decoding: data, as: UTF8.self)
  }

  /// The built command line.
  static let tool = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
    .appending(path: "probetape").path
}
