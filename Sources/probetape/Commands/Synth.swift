import ArgumentParser
import ProbeEvents
import ProbetapeTesting
import SystemPackage
import TapeFormat

extension Probetape {
  /// `probetape synth`: a lawful random tape of any size, for load tests.
  struct Synth: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "synth",
      abstract: "Write a lawful random tape of any size, for load tests.")

    @Option(help: "Same seed, same tape.")
    var seed: UInt64

    @Option(help: "How many hits.")
    var hits: UInt64

    @Option(help: "x86_64 or aarch64.", transform: ArchitectureArgument.parse)
    var architecture: Architecture = .x86_64

    @Option(help: "How many threads.")
    var threads: Int = 4

    @Option(name: .short, help: ArgumentHelp("The tape to write; - for a pipe.", valueName: "tape"))
    var output: String

    func validate() throws {
      guard (1...1024).contains(threads) else {
        throw ValidationError("--threads takes a number from 1 to 1024.")
      }
    }

    func run() throws {
      let parameters = SyntheticTape.Parameters(
        seed: seed, hits: hits, architecture: architecture, threads: threads)
      var synthetic = SyntheticTape(parameters)
      do throws(TapeError) {
        let file = try TapeOutputArgument.open(output)
        var writer = try TapeWriter(header: synthetic.header, output: file)
        try synthetic.write(to: &writer)
      } catch {
        Console.note("probetape: \(output): \(error.description)")
        throw ExitCode(1)
      }
    }
  }
}

/// The `-o TAPE` argument of the verbs that write tapes.
enum TapeOutputArgument {
  /// Opens a tape for writing; `-` is standard output.
  static func open(_ path: String) throws(TapeError) -> FileTapeOutput {
    path == "-" ? FileTapeOutput(descriptor: .standardOutput) : try FileTapeOutput(path: path)
  }
}

/// The `--architecture` argument.
enum ArchitectureArgument {
  static func parse(_ name: String) throws -> Architecture {
    guard let architecture = Architecture(name: name) else {
      throw ValidationError("'\(name)' is no architecture that tapes have: x86_64 or aarch64.")
    }
    return architecture
  }
}
