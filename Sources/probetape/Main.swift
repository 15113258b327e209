import ArgumentParser

/// The command line. One file per verb, in `Commands`.
@main
struct Probetape: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "probetape",
    abstract: "Record real uprobe hits once, replay them offline, hit for hit.",
    discussion: """
      Exit status: 0 everything matched; 1 something diverged; 125 could not be judged; 64 wrong \
      usage. These are the answers `git bisect run` understands.
      """,
    version: "probetape \(Version.text)",
    subcommands: [
      Record.self, Replay.self, Show.self, Stat.self, Matrix.self, Synth.self, Doctor.self,
      Bisect.self, Reduce.self, Diff.self, Scrub.self, Repair.self, Unwind.self, Import.self,
      Export.self, Judge.self,
    ])
}

/// The version of this program.
enum Version {
  static let text = "1.0.0"
}
