import ArgumentParser
import Foundation
import HandlerHost
import Replay
import TapeFormat

extension Probetape {
  /// The judge's side of a supervised replay: loads the library, replays the tapes in order and
  /// writes a line for each. A handler that crashes takes this process with it, and no other.
  struct Judge: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "__judge", abstract: "Replay tapes for a supervisor.", shouldDisplay: false)

    @Option var library: String
    @Option var name: String
    /// Place of the first tape in the supervisor's list.
    @Option var first: Int
    @Argument var tapes: [String]

    func run() throws {
      Self.endWithSupervisor()
      let page = try ProgressPage(inherited: SupervisedProcess.progressDescriptor)
      let loaded = try HandlerLibrary(path: library)
      for (index, path) in tapes.enumerated() {
        page.hit = 0
        page.tape = UInt64(first + index)
        var reader = try TapeReader(path: path)
        var conclusion = try ForeignReplay.replay(
          &reader, library: loaded, name: name, progress: PageProgress(page: page))
        if conclusion.verdict == .diverged {
          try DivergenceExplanation.add(to: &conclusion, path, library: loaded, name: name)
        }
        let message = ConclusionMessage(tape: first + index, conclusion)
        try Console.print(try JSONReport.encode(message, isPretty: false))
      }
    }

    /// Standard input ends when the supervisor does.
    private static func endWithSupervisor() {
      Thread.detachNewThread {
        _ = try? FileHandle.standardInput.readToEnd()
        Foundation.exit(125)
      }
    }
  }
}

private struct PageProgress: ReplayProgress {
  let page: ProgressPage

  func reached(hit: UInt64) { page.hit = hit }
}
