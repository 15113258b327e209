import ArgumentParser
import Glibc
import HandlerHost
import Replay
import SystemPackage
import TapeFormat

extension Probetape {
  /// The judge's side of a supervised replay: loads the library, replays the tapes in order and
  /// writes a line for each, and on request for each hit. A handler that crashes takes this process
  /// with it, and no other.
  struct Judge: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "__judge", abstract: "Replay tapes for a supervisor.", shouldDisplay: false)

    @Option var library: String
    @Option var name: String
    /// Place of the first tape in the supervisor's list.
    @Option var first: Int
    /// Whether every conclusion is written when it is made.
    @Flag var everyHit = false
    /// Whether divergences are explained, which takes another replay of the tape.
    @Flag var explains = false
    @Argument var tapes: [String]

    func run() throws {
      let output = try Self.ownOutput()
      do {
        try Self.endWithSupervisor()
        try judge(output)
      } catch {
        try Console.print(try JudgeLine.refusal("\(error)").text(), to: output)
        throw ExitCode(125)
      }
    }

    private func judge(_ output: FileDescriptor) throws {
      let page = try ProgressPage(inherited: SupervisedProcess.progressDescriptor)
      let loaded = try HandlerLibrary(path: library)
      for (index, path) in tapes.enumerated() {
        page.hit = 0
        page.tape = UInt64(first + index)
        var reader = try TapeReader(path: path)
        var conclusion =
          everyHit
          ? try ForeignReplay.replay(
            &reader, library: loaded, name: name, listener: LineWriter(page: page, output: output))
          : try ForeignReplay.replay(
            &reader, library: loaded, name: name, progress: PageProgress(page: page))
        if conclusion.verdict == .diverged, explains {
          try DivergenceExplanation.add(
            to: &conclusion, path, library: loaded, name: name,
            progress: PageProgress(page: page))
        }
        let message = ConclusionMessage(tape: first + index, conclusion)
        try Console.print(try JudgeLine.tape(message).text(), to: output)
      }
    }

    /// Standard input ends when the supervisor does.
    private static func endWithSupervisor() throws(Errno) {
      var thread = pthread_t()
      // The thread is given nothing, and is never waited for.
      let error = unsafe pthread_create(&thread, nil, { _ in Judge.waitForEnd() }, nil)
      guard error == 0 else { throw Errno(rawValue: error) }
    }

    private static func waitForEnd() -> Never {
      var byte: [UInt8] = [0]
      while true {
        // The pointer spans the whole array and is not kept.
        let count = try? unsafe byte.withUnsafeMutableBytes {
          try unsafe FileDescriptor.standardInput.read(into: $0)
        }
        guard let count, count > 0 else { Glibc.exit(125) }
      }
    }

    /// Takes standard output for ourselves; what a handler prints goes to standard error.
    private static func ownOutput() throws -> FileDescriptor {
      let own = try FileDescriptor.standardOutput.duplicate()
      _ = try FileDescriptor.standardError.duplicate(as: .standardOutput)
      return own
    }
  }
}

private struct PageProgress: ReplayProgress {
  let page: ProgressPage

  func reached(hit: UInt64) { page.hit = hit }
}

/// Writes each conclusion at once: the next hit may be the handler's last.
private struct LineWriter: ReplayListener {
  let page: ProgressPage
  let output: FileDescriptor

  func reached(hit: UInt64) { page.hit = hit }

  func concluded(_ conclusion: AnnotatedConclusion) { write(.concluded(conclusion)) }

  func endedBlock() { write(.endOfBlock) }

  private func write(_ line: JudgeLine) {
    do {
      try Console.print(try line.text(), to: output)
    } catch {
      // Nobody is left to judge for.
      Glibc.exit(125)
    }
  }
}
