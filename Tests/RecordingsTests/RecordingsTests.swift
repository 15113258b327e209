import Foundation
import ProbeEvents
import Replay
import TapeFormat
import Testing

/// Every recording is what the manifest says, replays to a match, and shows what an independent
/// tool, perf, saw of the same program on the same kernel.
@Suite struct RecordingsTests {
  @Test func `the manifest names every tape and every twin, and nothing else`() throws {
    let place = Recordings.top.appending(path: "recordings").path
    let files = try FileManager.default.subpathsOfDirectory(atPath: place)
    let tapes = files.filter { $0.hasSuffix(".tape") }.sorted()
    #expect(Recordings.manifest.map(\.file) == tapes)
    let twins = files.filter { $0.hasSuffix(".txt") }.sorted()
    #expect(twins == tapes.map { String($0.dropLast("tape".count)) + "txt" })
  }

  @Test func `every demanded situation has a recording`() {
    let names = Set(Recordings.manifest.map(\.name))
    let demanded: Set = [
      "recursion", "nested-functions", "longjmp-then-new-call", "longjmp-then-older-frame-returns",
      "tail-chain", "longjmp-out-of-tail-chain", "longjmp-loop", "recursion-70", "stale-frames-80",
      "siglongjmp-from-handler", "altstack-below", "altstack-above", "swapcontext-below",
      "swapcontext-above", "coroutines-wrong-return", "setcontext-back", "fork-inside",
      "vfork-inside", "threads", "exec-inside", "pthread-exit-through", "pthread-cancel-through",
      "exception-through", "slot-overwritten", "forged-return", "jump-to-trampoline", "nop5-site",
      "sqlite3-malloc-free",
      "instruction-nops", "instruction-push", "instruction-conditions", "instruction-jumps",
      "instruction-calls", "instruction-relative", "instruction-stepped", "instruction-repeat",
      "instruction-trap-flag", "instruction-pushf", "instruction-syscall", "instruction-vex",
      "instruction-vex-compare", "instruction-nop5", "processes", "usdt-semaphore",
      "instruction-moves", "instruction-compat",
    ]
    #expect(demanded.subtracting(names) == [])
  }

  @Test(arguments: Recordings.manifest)
  func `a tape has the checksum of the manifest`(entry: Recordings.Entry) throws {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["sha256sum", entry.path]
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(text.prefix(64) == entry.sha256)
  }

  @Test(arguments: Recordings.manifest)
  func `a recording is complete and replays to a match`(entry: Recordings.Entry) throws {
    let conclusion = try TapeReplay.replay(path: entry.path, handler: .modelOfTape)
    #expect(conclusion.verdict == .match)
    #expect(conclusion.divergences == [])
    #expect(conclusion.lost == 0)
    #expect(conclusion.evidence.returns == conclusion.returns)
  }

  @Test(arguments: Recordings.manifest)
  func `the text twin is what the tape shows`(entry: Recordings.Entry) throws {
    var reader = try TapeReader(path: entry.path)
    var text = TapeText(header: reader.header)
    var lines = text.preamble
    _ = try TapeReplay.annotate(&reader, handler: .modelOfTape) { columns, concluded in
      lines += text.lines(columns, concluded)
    }
    let twin = try String(contentsOfFile: entry.twin, encoding: .utf8).split(separator: "\n")
    // The last line is the command line's summary.
    #expect(twin.dropLast().map(String.init) == lines)
    #expect(twin.last?.hasPrefix("# match: ") == true)
  }

  @Test(arguments: Recordings.ofOurPrograms)
  func `a recording has the hits that perf saw`(entry: Recordings.Entry) throws {
    let noted = try #require(try Recordings.field("Observed-6.18", of: entry.program))
    let expected = try #require(ObservedSequence(noted))
    var reader = try TapeReader(path: entry.path)
    let probes = reader.header.probes
    var threads: [ThreadIdentity: [String]] = [:]
    var columns = HitColumns()
    while case .block = try reader.next(into: &columns, selecting: .judged) {
      for index in 0..<columns.count {
        let letter = columns.kinds[index] == .entry ? "E" : "R"
        // Of a tracepoint the name, without its provider.
        let name = probes[Int(columns.probes[index])].symbol.split(separator: ":").last ?? ""
        let thread = columns.threadTable[Int(columns.threads[index])]
        threads[thread, default: []].append("\(letter) \(name.trimmingPrefix("p_"))")
      }
    }
    #expect(ObservedSequence(threads: Array(threads.values)) == expected)
  }

  @Test(arguments: Recordings.ofOurPrograms)
  func `a target ended as it did under perf`(entry: Recordings.Entry) throws {
    let expected = try #require(try Recordings.field("Expect-probed-6.18", of: entry.program))
    var reader = try TapeReader(path: entry.path)
    let exit = try TapeStatistics(&reader).trailer?.targetExit
    let text =
      switch exit {
      case .exited(let status): "exit \(status)"
      case .killed(let signal): "signal \(signal)"
      case .running, .unknown, nil: "unknown"
      }
    #expect(text == expected)
  }
}
