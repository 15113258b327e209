import FoundationEssentials
import Glibc
import HandlerHost
import ProbeEvents
import Unwinding

/// Where stacks' files are looked for, and what is said in the end.
enum StackFiles {
  static func search(_ root: String?, _ asksDebuginfod: Bool) -> ImageSearch {
    let home = ProcessInfo.processInfo.environment["HOME"]
    var search = ImageSearch(root: root, perfCache: home.map { $0 + "/.debug" })
    guard asksDebuginfod else { return search }
    if hasClient {
      search.fetch = { buildID in Self.fetch(buildID) }
    } else {
      Console.note(
        "probetape: there is no \(client) in PATH to ask for files with: install debuginfod")
    }
    return search
  }

  private static let client = "debuginfod-find"

  private static var hasClient: Bool {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    return path.split(separator: ":").contains { folder in
      FileManager.default.isExecutableFile(atPath: "\(folder)/\(client)")
    }
  }

  /// The path of the file that debuginfod has for a build id; nil when it has none.
  private static func fetch(_ buildID: String) -> String? {
    guard let outcome = try? HelperProcess.run([client, "executable", buildID]),
      outcome.status == 0
    else { return nil }
    let path = String(decoding: outcome.output.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    return path.hasPrefix("/") ? path : nil
  }

  /// CLOCK_MONOTONIC, nanoseconds.
  static var now: UInt64 {
    var time = timespec()
    // `time` is a whole structure of the type the call fills.
    guard unsafe clock_gettime(CLOCK_MONOTONIC, &time) == 0 else { return 0 }
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  /// Says what a recording with stacks could not do.
  static func report(_ sink: StackRecordingSink) {
    for note in sink.notes { Console.note("probetape: \(note)") }
    guard sink.counts.leftOut > 0 else { return }
    Console.note(
      "probetape: \(sink.counts.leftOut) of \(sink.counts.leftOut + sink.counts.unwound) hits "
        + "have no stack, because unwinding could not keep up")
  }

  static func summary(_ counts: Unwinder.Counts, _ time: Duration) -> String {
    let names: [(StackEnding, String)] = [
      (.windowEnd, "cut off where the stack bytes end"),
      (.noUnwindInformation, "without unwind information"), (.noFile, "without the file"),
      (.unknownTrampoline, "at a return probe of before the recording"),
      (.frameLimit, "with too many frames"), (.notUnwound, "not unwound"),
    ]
    let distinct = counts.endings.reduce(0, +)
    var text =
      "\(counts.hits) stacks, \(counts.known) of them seen before; of the other \(distinct), "
    text += "\(counts.endings[Int(StackEnding.complete.rawValue)]) are whole"
    for (ending, name) in names where counts.endings[Int(ending.rawValue)] > 0 {
      text += ", \(counts.endings[Int(ending.rawValue)]) \(name)"
    }
    let seconds = time / .seconds(1)
    return seconds > 0 ? text + "; unwound at \(Int(Double(counts.hits) / seconds)) stacks/s" : text
  }
}
