import ArgumentParser
import Foundation
import SystemPackage
import TapeExchange
import TapeFormat

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

    func run() throws {
      do {
        let summary =
          input == "-"
          ? try importStandardInput()
          : try PerfImport.run(path: input, writer: Self.writer, makeOutput: makeOutput)
        report(summary)
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
    private func importStandardInput() throws -> ImportSummary {
      let path = FileManager.default.temporaryDirectory
        .appending(path: "probetape-import-\(UUID().uuidString)").path
      let copy = try FileDescriptor.open(
        FilePath(path), .readWrite, options: [.create, .exclusiveCreate, .closeOnExec],
        permissions: .ownerReadWrite)
      defer { try? copy.close() }
      try FileManager.default.removeItem(atPath: path)
      while let piece = try FileHandle.standardInput.read(upToCount: 1 << 20), !piece.isEmpty {
        try copy.writeAll(piece)
      }
      return try PerfImport.run(
        descriptor: copy, name: "standard input", writer: Self.writer, makeOutput: makeOutput)
    }

    private func report(_ summary: ImportSummary) {
      let hits = summary.entries + summary.returns
      var line =
        "probetape: \(output): \(hits) hits (\(summary.entries) entries, \(summary.returns) returns), "
        + "\(summary.lost) lost; \(summary.bytes) bytes"
      if hits > 0 {
        line += String(format: ", %.1f a hit", Double(summary.bytes) / Double(hits))
      }
      Console.note(line)
      if let cut = summary.cut { Console.note("probetape: incomplete: \(cut)") }
      for note in summary.notes { Console.note("probetape: \(note)") }
    }
  }
}
