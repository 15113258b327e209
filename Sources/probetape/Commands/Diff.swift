import ArgumentParser
import ProbeEvents
import Replay
import SystemPackage
import TapeFormat

extension Probetape {
  /// `probetape diff`: whether two recordings show the same run of the same program.
  struct Diff: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "diff",
      abstract: "Compare two recordings of the same program, whatever differs from run to run.",
      discussion: """
        Each thread is compared with its counterpart, by descent and order of creation: kinds, \
        probes, functions, return addresses (by mapped file and offset), stack pointers (from the \
        first one seen on their stack), forks, execs, exits, signals, and how the target ended. \
        Times, CPUs, process numbers, stack words, heap addresses and the interleaving of threads \
        are not compared.

        Exit status: 0 equal, 1 different, 125 a tape that cannot be compared as a whole.
        """)

    @Flag(help: "Compare registers too, where they point into mapped files or stacks.")
    var registers = false

    @Argument(help: "The first tape.")
    var first: String

    @Argument(help: "The second tape.")
    var second: String

    func run() throws {
      let comparison: TapeComparison
      do throws(TapeError) {
        comparison = try TapeComparison(first, second, withRegisters: registers)
      } catch {
        Console.note("probetape: \(error.description)")
        throw ExitCode(125)
      }
      do {
        try Console.print(text(comparison).joined(separator: "\n"))
      } catch let error as Errno where error == .brokenPipe {
        // The reader has gone; the exit status still says what came out.
      }
      if let reason = comparison.reason {
        Console.note("probetape: not all could be compared: \(reason)")
        throw ExitCode(125)
      }
      switch comparison.outcome {
      case .equal: return
      case .different: throw ExitCode(1)
      }
    }

    private func text(_ comparison: TapeComparison) -> [String] {
      switch comparison.outcome {
      case .equal:
        return ["equal: \(comparison.hits.first) hits of \(comparison.threads) threads"]
      case .different(let difference):
        var place = difference.what
        if let thread = difference.thread { place = "thread \(thread): " + place }
        let hits = [
          difference.firstHit.map { "hit \($0) of the first" },
          difference.secondHit.map { "hit \($0) of the second" },
        ].compactMap { $0 }
        if !hits.isEmpty { place += " (" + hits.joined(separator: ", ") + ")" }
        return ["--- \(first)", "+++ \(second)", place] + difference.lines
      }
    }
  }
}
