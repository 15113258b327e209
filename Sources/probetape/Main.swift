import ArgumentParser

@main
struct Probetape: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "probetape",
    abstract: "Record real uprobe hits once, replay them offline, hit for hit.")
}
