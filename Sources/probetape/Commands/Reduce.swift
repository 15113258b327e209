import ArgumentParser
import FoundationEssentials
import Glibc
import Reduction
import Replay
import SystemPackage
import TapeFormat

extension Probetape {
  /// `probetape reduce`: the smallest tape on which a handler still goes wrong in the same way.
  struct Reduce: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "reduce",
      abstract: "Make the smallest tape that still diverges in the same class at the same rule.",
      discussion: """
        Leaves out threads, probes, call trees, calls and hits, and replays every candidate. Where \
        the recording kernel's own rules explain the tape, they must explain every candidate, too. \
        Ctrl-C ends with the best so far.

        Exit status: 0 when a tape was written from which nothing more can be left out; 130 when \
        that was ended by Ctrl-C; 125 when the handler does not diverge, or the tape cannot be read.
        """)

    @Option(help: HandlerArgument.help, transform: HandlerArgument.parse)
    var handler: HandlerArgument

    @OptionGroup var foreign: ForeignOptions

    @Option(name: .short, help: ArgumentHelp("The tape to write.", valueName: "tape"))
    var output: String

    @Option(name: .short, help: ArgumentHelp("How many candidates at a time.", valueName: "jobs"))
    var jobs: Int = Processors.count

    @Argument(help: "The tape.")
    var tape: String

    func validate() throws {
      guard jobs > 0 else { throw ValidationError("-j takes a number from 1 upwards.") }
      guard !TapePaths.isSame(tape, output) else {
        throw ValidationError("-o names the tape that is to be read. Choose another name.")
      }
    }

    func run() throws {
      let stop = StopSignal()
      let start = Date.now
      let line = ReductionProgressLine()
      do {
        let reduced = try reduce(stop, line)
        line.end()
        let file = try TapeOutputArgument.open(output)
        try file.write(reduced.tape)
        Console.note(summary(reduced, seconds: Date.now.timeIntervalSince(start)))
        if !reduced.isMinimal { throw ExitCode(StopSignal.exitStatus) }
      } catch let error as ReductionError {
        line.end()
        Console.note("probetape: \(tape): \(error.description)")
        throw ExitCode(error == .stoppedEarly ? StopSignal.exitStatus : 125)
      } catch let error as TapeError {
        line.end()
        Console.note("probetape: \(TapeFailure.message(error, of: tape))")
        throw ExitCode(125)
      }
    }

    private func reduce(_ stop: StopSignal, _ line: ReductionProgressLine) throws -> ReducedTape {
      let results = HandlerBatch.replay([tape], handler, foreign, jobs: 1)
      guard let conclusion = try results.first?.outcome.get() else {
        preconditionFailure("a batch of one tape gives one result")
      }
      let step = try TapeOrigin.step("reduce --handler \(handler.text)", from: tape)
      let folder = try CandidateFolder()
      let judge: Reducer.Judge
      let batch: Int
      switch handler {
      case .model(let choice):
        judge = Reducer.judge(choice, jobs: jobs)
        batch = jobs
      case .foreign(let source):
        // Starting a process costs as much as many small candidates.
        batch = max(8, jobs)
        judge = { tapes in
          let paths = try folder.write(tapes)
          let candidates = ForeignBatch(source: source, options: foreign, explains: false)
          let results = candidates.replay(paths, jobs: jobs)
          return try results.map { try $0.outcome.get() }
        }
      }
      let reducer = Reducer(
        path: tape, jobs: jobs, batch: batch, judge: judge, isStopped: { stop.hasArrived },
        progress: line.show)
      return try reducer.reduce(conclusion, step: step)
    }

    private func summary(_ reduced: ReducedTape, seconds: TimeInterval) -> String {
      let divergence = reduced.divergence
      var parts = [
        "probetape: \(output): \(reduced.hits) of \(reduced.hitsBefore) hits, "
          + "\(divergence.kind.rawValue) at hit \(divergence.hit)",
        "\(reduced.candidates) candidates, \(Decimals.text(seconds, 1)) s",
        reduced.isMinimal ? "nothing more can be left out" : "stopped before the end",
      ]
      if !reduced.hasReference {
        parts.append("the recording kernel's rules do not explain the tape either")
      }
      return parts.joined(separator: "; ")
    }
  }
}

/// Files for candidates, for handlers in other processes. They go with this.
final class CandidateFolder {
  private let path: URL

  init() throws {
    path = FileManager.default.temporaryDirectory
      .appending(path: "probetape-reduce-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: path, withIntermediateDirectories: true)
  }

  deinit {
    // A folder of temporary files that cannot be removed is the system's to clean.
    try? FileManager.default.removeItem(at: path)
  }

  /// Writes tapes in the place of those before, and gives their paths.
  func write(_ tapes: [[UInt8]]) throws -> [String] {
    try tapes.enumerated().map { index, tape in
      let file = path.appending(path: "\(index).tape")
      try Data(tape).write(to: file)
      return file.path
    }
  }
}

/// The line that shows how far a reduction is, on a terminal only.
struct ReductionProgressLine: Sendable {
  private let isShown = isatty(2) == 1

  func show(_ progress: ReductionProgress) {
    guard isShown else { return }
    Console.noteWithoutLineEnd(
      "\r\u{1B}[K\(progress.hits) hits, \(progress.candidates) candidates, "
        + "leaving out \(progress.phase)")
  }

  /// Takes the line away.
  func end() {
    if isShown { Console.noteWithoutLineEnd("\r\u{1B}[K") }
  }
}
