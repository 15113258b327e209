import HandlerHost
import ProbeEvents
import Testing

/// What cannot be a handler ends, through the command line, with 125 and a message of its own.
@Suite(
  .enabled(if: KernelSources.hasDebian61, "there is no linux-source-6.1 to test with"), .serialized)
struct BadHandlerTests {
  /// Replays a lawful tape and gives what was said.
  private func replay(_ handler: String, environment: [String] = []) throws -> String {
    let directory = try TemporaryDirectory()
    let tape = try directory.file("some.tape", try Tapes.chain(.x86_64))
    let outcome = try CommandLineTool.run(
      environment: environment, "replay", "--handler", handler, tape)
    #expect(outcome.status == 125, "\(outcome.text)\(outcome.errors)")
    let shown = try CommandLineTool.run(
      environment: environment, "show", "--handler", handler, tape)
    #expect(shown.status == 125)
    return outcome.text
  }

  @Test("no directory, and a directory that is no kernel tree")
  func noTree() throws {
    #expect(
      try replay("kernel:/no/such/tree").contains("/no/such/tree: there is no such directory"))
    let empty = try TemporaryDirectory()
    #expect(try replay("kernel:\(empty.path)").contains("\(empty.path) is no kernel source tree"))
  }

  @Test("a half-deleted tree names the file that is missing")
  func halfDeleted() throws {
    let copy = try PlantedTree(try KernelSources.debian61.get())
    try copy.remove(PlantedTree.x86)
    #expect(
      try replay("kernel:\(copy.path)").contains(
        "\(copy.path) is an incomplete kernel source tree: \(PlantedTree.x86) is missing"))
  }

  @Test("a tree of another project, with files of the same names and as a repository")
  func anotherProject() throws {
    let other = try PlantedTree(try KernelSources.debian61.get())
    for file in KernelTree.relevantFiles {
      try SmallFiles.write(
        Array("int main(void) { return 0; }\n".utf8), to: "\(other.path)/\(file)")
    }
    #expect(
      try replay("kernel:\(other.path)").contains(
        "a kernel before 3.10, or no kernel"))
    let repository = try TemporaryDirectory()
    let git = [
      "git", "-C", repository.path, "-c", "user.name=Test", "-c", "user.email=t@localhost",
    ]
    for words in [["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "empty"]] {
      #expect(try HelperProcess.run(git + words).status == 0)
    }
    #expect(
      try replay("kernel:\(repository.path)@HEAD").contains("is no kernel source tree: it has no"))
  }

  @Test("an unknown revision, and a revision of what is no repository")
  func unknownRevision() throws {
    let tree = try PlantedTree(try KernelSources.debian61.get())
    #expect(
      try replay("kernel:\(tree.path)@v9.9").contains(
        "\(tree.path) is no git repository to take a revision from"))
    try tree.git("init", "-q")
    try tree.git("commit", "-q", "--allow-empty", "-m", "empty")
    #expect(
      try replay("kernel:\(tree.path)@v9.9").contains("\(tree.path) has no revision 'v9.9'"))
  }

  @Test("a symbol that nobody knows is named with its place")
  func unknownSymbol() throws {
    let copy = try PlantedTree(try KernelSources.debian61.get())
    try copy.replace(
      "ri->chained = chained;", by: "ri->chained = chained; frobnicate(ri);", in: PlantedTree.core)
    let said = try replay("kernel:\(copy.path)")
    #expect(said.contains(/kernel\/events\/uprobes\.c:\d+ needs 'frobnicate'/))
  }

  @Test("a tree that does not compile for another reason gives the compiler's first message")
  func doesNotCompile() throws {
    let copy = try PlantedTree(try KernelSources.debian61.get())
    try copy.replace(
      "ri->chained = chained;", by: "ri->chained = ;", in: PlantedTree.core)
    let said = try replay("kernel:\(copy.path)")
    #expect(said.contains("the tree's probe functions do not compile: kernel/events/uprobes.c:"))
  }

  @Test("no compiler at all, and one that CC names and is not there")
  func noCompiler() throws {
    let cache = try TemporaryDirectory()
    let tree = try KernelSources.debian61.get()
    let own = ["XDG_CACHE_HOME=\(cache.path)"]
    #expect(
      try replay("kernel:\(tree)", environment: ["-u", "CC"] + own + ["PATH=\(cache.path)"])
        .contains("there is no C compiler, neither cc nor gcc nor clang"))
    #expect(
      try replay("kernel:\(tree)", environment: own + ["CC=no-such-compiler"])
        .contains("there is no C compiler 'no-such-compiler', which CC names"))
  }

  @Test("a cache that cannot be made says so")
  func noCache() throws {
    let tree = try KernelSources.debian61.get()
    #expect(
      try replay("kernel:\(tree)", environment: ["XDG_CACHE_HOME=/proc/none"])
        .contains("the cache of built handlers cannot be used"))
  }

  @Test("libraries that are none, of another version or layout, without symbols or functions")
  func libraries() throws {
    #expect(try replay("library:/no/such.so").contains("cannot be loaded as a handler"))
    func said(_ table: String) throws -> String {
      let built = try BuiltLibrary(
        source: """
          #include "probe_handler.h"
          static const struct probe_handler h = { \(table) };
          const struct probe_handler *probe_handler_v1(void) { return &h; }
          """)
      return try replay("library:\(built.path)")
    }
    let stranger = try BuiltLibrary(source: "int nothing;")
    #expect(
      try replay("library:\(stranger.path)").contains("it does not export probe_handler_v1"))
    #expect(try said("99, sizeof h").contains("speaks version 99 of probe_handler.h"))
    #expect(try said("1, 8").contains("has a handler table of 8 bytes where"))
    #expect(try said("1, sizeof h").contains("leaves 'create' of its handler table NULL"))
    let unready = try BuiltLibrary(
      example: "handler.c", replacing: "    if (state) {", by: "    return NULL; if (state) {")
    #expect(try replay("library:\(unready.path)").contains("handler example refuses a tape of"))
  }
}
