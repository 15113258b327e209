import ArgumentParser
import SystemPackage
import TapeFormat

extension Probetape {
  /// `probetape repair`: what can be read of a damaged tape, as a whole one.
  struct Repair: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "repair",
      abstract: "Copy all readable blocks of a damaged tape into a new one.",
      discussion: """
        In the place of each damaged part stands a note that hits were lost, so that nothing is \
        judged past it. A tape whose recorder was killed stays incomplete.

        Exit status: 0 when a tape was written, 125 when there is none to read, 1 when it cannot be \
        written.
        """)

    @Option(name: .short, help: ArgumentHelp("The tape to write.", valueName: "tape"))
    var output: String

    @Argument(help: "The damaged tape.")
    var tape: String

    func validate() throws {
      guard !TapePaths.isSame(tape, output) else {
        throw ValidationError("-o names the tape that is to be read. Choose another name.")
      }
    }

    func run() throws {
      var reader: TapeReader
      let step: TapeDerivation
      do throws(TapeError) {
        reader = try TapeReader(path: tape)
        step = try TapeOrigin.step("repair", from: tape)
      } catch {
        Console.note("probetape: \(tape): \(error.description)")
        throw ExitCode(125)
      }
      do throws(TapeError) {
        let report = try TapeRepair.repair(
          from: &reader, to: try TapeOutputArgument.open(output), step: step)
        for damage in report.dropped { Console.note("probetape: left out \(damage.description)") }
        Console.note(
          "probetape: \(output): \(report.hits) hits in \(report.blocks) blocks kept, "
            + "\(report.dropped.count) damaged parts left out"
            + (report.isComplete ? "" : "; the tape is incomplete, as it was"))
      } catch {
        Console.note("probetape: \(output): \(error.description)")
        throw ExitCode(1)
      }
    }
  }
}
