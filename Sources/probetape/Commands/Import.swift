import ArgumentParser
import HandlerHost
import ProbeEvents
import Replay
import SystemPackage
import TapeExchange
import TapeFormat
import Unwinding

extension Probetape {
  /// `probetape import`: a tape of what perf recorded.
  struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "import",
      abstract: "Make a tape of a perf.data with uprobe and uretprobe events.",
      discussion: """
        Record with registers and the top of the stack, or much cannot be checked:
        perf record -k CLOCK_MONOTONIC -e probe_x:f -e probe_x:f__return --call-graph dwarf,64 -- COMMAND
        """)

    @Argument(
      help: ArgumentHelp("What perf record wrote; - for standard input.", valueName: "perf.data"))
    var input: String

    @Option(name: .short, help: ArgumentHelp("The tape to write; - for a pipe.", valueName: "tape"))
    var output: String

    @Option(help: "A directory with the recording host's files under their paths, for names.")
    var symfs: String?

    func run() throws {
      let namer = ImportNamer(search: StackFiles.search(symfs, false))
      do {
        let summary =
          input == "-"
          ? try importStandardInput(namer)
          : try PerfImport.run(
            path: input, writer: Self.writer, naming: namer.names, makeOutput: makeOutput)
        report(summary)
        for note in namer.notes { Console.note("probetape: \(note)") }
      } catch let error as ExchangeError {
        switch error {
        case .tape(let tape): Console.note("probetape: \(output): \(tape.description)")
        default: Console.note("probetape: \(input): \(error.description)")
        }
        throw ExitCode(125)
      }
    }

    private static let writer = "probetape \(Version.text) import"

    private func makeOutput() throws(TapeError) -> any TapeOutput {
      try TapeOutputArgument.open(output)
    }

    /// A pipe cannot be read twice: it is copied to a file without a name first.
    private func importStandardInput(_ namer: ImportNamer) throws -> ImportSummary {
      let copy = try Self.nameless()
      defer { try? copy.close() }
      var piece = [UInt8](repeating: 0, count: 1 << 20)
      while true {
        // The pointer spans the whole array and is not kept.
        let count = try unsafe piece.withUnsafeMutableBytes {
          try unsafe FileDescriptor.standardInput.read(into: $0)
        }
        guard count > 0 else { break }
        try copy.writeAll(piece[..<count])
      }
      return try PerfImport.run(
        descriptor: copy, name: "standard input", writer: Self.writer, naming: namer.names,
        makeOutput: makeOutput)
    }

    private static func nameless() throws -> FileDescriptor {
      // The name is gone with the value, at the end of this function.
      let file = try TemporaryFile.make("probetape-import", [])
      return try FileDescriptor.open(FilePath(file.path), .readWrite, options: .closeOnExec)
    }

    private func report(_ summary: ImportSummary) {
      let hits = summary.entries + summary.returns
      var line =
        "probetape: \(output): \(hits) hits (\(summary.entries) entries, \(summary.returns) returns), "
        + "\(summary.lost) lost"
      if summary.stacks > 0 { line += ", \(summary.stacks) stacks" }
      line += "; \(summary.bytes) bytes"
      if hits > 0 {
        line += ", \(Decimals.text(Double(summary.bytes) / Double(hits), 1)) a hit"
      }
      Console.note(line)
      if let cut = summary.cut { Console.note("probetape: incomplete: \(cut)") }
      for note in summary.notes { Console.note("probetape: \(note)") }
    }
  }
}

/// Names the frames of an import with the files here.
private final class ImportNamer {
  private let search: ImageSearch
  private var naming: StackNaming?

  init(search: ImageSearch) { self.search = search }

  /// Files that could not be used and why.
  var notes: [String] { naming?.notes ?? [] }

  func names(_ header: TapeHeader) -> (StackTable) -> [StackSymbol] {
    let naming = StackNaming(kernel: header.kernel, search: search)
    self.naming = naming
    return naming.newNames
  }
}
