import ArgumentParser
import Reduction
import Replay
import TapeFormat

extension Probetape {
  /// `probetape scrub`: a tape without what its owner may not want to publish.
  struct Scrub: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "scrub",
      abstract: "Take from a tape what is not needed for judging it.",
      usage: "probetape scrub TAPE -o TAPE\n       probetape scrub --check TAPE",
      discussion: """
        Goes: the command's arguments, folders of all paths, names of threads, the kernel's build \
        text, CPUs and clocks of the host, all registers but instruction pointer, stack pointer and \
        link register, all stack words but return addresses and trampoline addresses. Stays: the \
        kernel's release, file names, symbols, build ids and instruction bytes of the probes, and \
        addresses. The new tape replays to the same digest, which is tried before it is kept.

        Exit status: 0 when the tape was scrubbed or has nothing left to scrub; with --check 1 when \
        it has; 125 when there is no tape that can be read.
        """)

    @Flag(help: "Only say what there is to scrub.")
    var check = false

    @Option(name: .short, help: ArgumentHelp("The tape to write.", valueName: "tape"))
    var output: String?

    @Argument(help: "The tape.")
    var tape: String

    func validate() throws {
      guard check == (output == nil) else {
        throw ValidationError("Give either -o TAPE or --check.")
      }
      guard output != "-" else {
        throw ValidationError("A scrubbed tape is read again to try it: -o takes a file.")
      }
      guard output.map({ !TapePaths.isSame(tape, $0) }) ?? true else {
        throw ValidationError("-o names the tape that is to be read. Choose another name.")
      }
    }

    func run() throws {
      try TapeFailure.reported(of: tape) {
        var reader = try TapeReader(path: tape)
        if let output {
          try scrub(&reader, to: output)
        } else {
          let findings = try TapeScrub.check(&reader)
          for line in lines(findings) { Console.note("probetape: \(tape): has \(line)") }
          if !findings.isEmpty { throw ExitCode(1) }
        }
      }
    }

    private func scrub(_ reader: inout TapeReader, to output: String) throws {
      let step = try TapeOrigin.step("scrub", from: tape)
      let findings = try TapeScrub.scrub(
        &reader, to: try TapeOutputArgument.open(output), step: step)
      guard let findings else {
        try FileKeeping.removeIfRegular(output)
        Console.note("probetape: \(tape): the tape is damaged; repair it first")
        throw ExitCode(125)
      }
      let before = try TapeReplay.replay(path: tape, handler: .modelOfTape)
      let after = try TapeReplay.replay(path: output, handler: .modelOfTape)
      guard before.digest == after.digest else {
        try FileKeeping.removeIfRegular(output)
        Console.note("probetape: \(tape): cannot be scrubbed, as it would replay differently")
        throw ExitCode(1)
      }
      for line in lines(findings) { Console.note("probetape: \(output): without \(line)") }
    }

    /// What was found, a line for each kind.
    private func lines(_ findings: ScrubFindings) -> [String] {
      let kinds: [(count: UInt64, name: String)] = [
        (UInt64(findings.arguments), "command arguments"), (UInt64(findings.folders), "folders"),
        (UInt64(findings.names), "names of threads"), (UInt64(findings.hostFacts), "host facts"),
        (findings.registers, "register values"), (findings.stackWords, "stack words"),
      ]
      return kinds.filter { $0.count > 0 }.map { "\($0.count) \($0.name)" }
    }
  }
}
