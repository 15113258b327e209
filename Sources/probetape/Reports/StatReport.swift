import ProbeEvents
import Replay
import SystemPackage
import TapeFormat

/// What `stat` prints about one tape.
struct StatReport: Encodable {
  struct ProbeHits: Encodable {
    var probe: String
    var hits: UInt64
  }

  struct Derivation: Encodable {
    var command: String
    var source: String
    var sha256: String
  }

  var tape: String
  var hits, entries, returns, lost: UInt64
  var threads, processes, probes: Int
  var bytes: UInt64
  var bytesPerHit: Double
  var kernel: String
  var architecture: String
  var complete: Bool
  var damages: [String]
  var stackBytes: UInt32
  var seconds: Double
  var command: [String]
  var targetExit: String
  var facts: [String: String]
  var hitsByProbe: [ProbeHits]
  var derivedFrom: [Derivation]

  init(path: String, header: TapeHeader, statistics: TapeStatistics) {
    tape = path
    hits = statistics.hits
    entries = statistics.entries
    returns = statistics.returns
    lost = statistics.lost
    threads = statistics.threads
    processes = statistics.processes
    probes = header.probes.count
    bytes = (try? FilePath(path).stat()).map { UInt64(clamping: $0.size) } ?? 0
    let ratio = statistics.hits == 0 ? 0 : Double(bytes) / Double(statistics.hits)
    bytesPerHit = (ratio * 100).rounded() / 100
    kernel = header.kernel.release
    architecture = header.kernel.architecture.name
    complete = statistics.isComplete
    damages = statistics.damages.map(\.description)
    stackBytes = header.stackBytes
    seconds = Double((statistics.lastTime ?? 0) - (statistics.firstTime ?? 0)) / 1e9
    command = header.command
    targetExit = Self.describe(statistics.trailer?.targetExit ?? .unknown)
    facts = [:]
    for fact in header.kernel.facts + (statistics.trailer?.lateFacts ?? []) {
      facts[fact.name] = fact.value
    }
    hitsByProbe = zip(header.probes, statistics.hitsOfProbe).map {
      ProbeHits(probe: $0.displayName, hits: $1)
    }
    derivedFrom = header.derivations.map {
      Derivation(command: $0.command, source: $0.source, sha256: TapeOrigin.text($0.digest))
    }
  }

  var text: String {
    var lines = [
      "\(tape): \(complete ? "complete" : "incomplete")",
      "  hits      \(hits) (\(entries) entries, \(returns) returns), \(lost) lost",
      "  tasks     \(threads) threads of \(processes) processes",
      "  size      \(bytes) bytes, \(Decimals.text(bytesPerHit, 2)) bytes a hit, "
        + "stack window \(stackBytes) bytes",
      "  kernel    \(kernel) \(architecture)",
      "  command   \(command.isEmpty ? "(attached)" : command.joined(separator: " "))",
      "  ended     \(targetExit), \(Decimals.text(seconds, 6)) s from first to last hit",
    ]
    for damage in damages { lines.append("  damage    \(damage)") }
    for probe in hitsByProbe { lines.append("  probe     \(probe.hits) hits of \(probe.probe)") }
    for (name, value) in facts.sorted(by: { $0.key < $1.key }) {
      lines.append("  fact      \(name)=\(value)")
    }
    for step in derivedFrom {
      lines.append("  derived   by \(step.command), from \(step.source), sha256 \(step.sha256)")
    }
    return lines.joined(separator: "\n")
  }

  /// How the target ended, in words.
  static func describe(_ exit: TargetExit) -> String {
    switch exit {
    case .unknown: "unknown"
    case .exited(let status): "exit status \(status)"
    case .killed(let signal): "killed by signal \(signal)"
    case .running: "still running"
    }
  }
}
