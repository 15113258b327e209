import ArgumentParser
import ProbeEvents
import Replay
import SystemPackage
import TapeFormat
import Unwinding

extension Probetape {
  /// `probetape unwind`: the user stacks of a tape that kept its stack bytes.
  struct Unwind: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "unwind",
      abstract: "Unwind the user stack of each hit from the stack bytes on a tape.",
      discussion: """
        The tape must have kept its stack bytes (record --stack 8192). Return addresses that return \
        probes replaced are put back first.
        """)

    @Option(
      name: .shortAndLong,
      help: "Write a tape with the stacks instead of printing them; `-` for standard output.")
    var output: String?

    @Option(help: "A directory with the recording host's files under their paths.")
    var symfs: String?

    @Flag(help: "Ask debuginfod (debuginfod-find) for files that are not here.")
    var debuginfod = false

    @Argument(help: "The tape.")
    var tape: String

    func run() throws {
      try TapeFailure.reported(of: tape) { try unwind() }
    }

    private func target(_ header: TapeHeader) throws -> any StackTarget {
      guard let output else { return StackTextTarget(header) }
      return try StackTapeTarget(header, path: output)
    }

    private func unwind() throws {
      var reader = try TapeReader(path: tape)
      var unwinding = TapeUnwinding(
        header: reader.header, search: StackFiles.search(symfs, debuginfod))
      let target = try target(reader.header)
      var columns = HitColumns()
      var isDamaged = false
      var time = Duration.zero
      reading: while true {
        switch try reader.next(into: &columns, selecting: .all) {
        case .block:
          let start = ContinuousClock.now
          let conclusions = unwinding.unwind(&columns)
          time += ContinuousClock.now - start
          let names = unwinding.newSymbols()
          columns.stackSymbols = unwinding.symbols
          try target.take(columns, names, conclusions)
        case .damage(let damage):
          isDamaged = true
          unwinding.noteDamage(damage)
          Console.note("probetape: \(tape): \(damage.description)")
          try target.take(damage)
        case .trailer(let trailer): try target.finish(trailer)
        case .end: break reading
        }
      }
      try target.end()
      for note in unwinding.unwinder.notes { Console.note("probetape: \(note)") }
      Console.note("probetape: " + StackFiles.summary(unwinding.unwinder.counts, time))
      if isDamaged { throw ExitCode(125) }
    }
  }
}
