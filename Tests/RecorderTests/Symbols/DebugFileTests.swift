import ProbeEvents
import Testing

@testable import Recorder

@Suite("Separate debug files")
struct DebugFileTests {
  static let source = """
    static __attribute__((noinline)) int hidden(int n) { return n * 3; }
    int main(int c, char **v) { return hidden(c); }
    """

  /// A stripped program `p`, its debug file `p.debug`, and the judge over the whole program.
  static func split(_ workshop: Workshop, _ flags: String...) throws -> Binutils {
    try workshop.write("p.c", source)
    try workshop.run(["gcc", "-g", "-o", "whole", "p.c"] + flags)
    try workshop.run("objcopy", "--only-keep-debug", "whole", "p.debug")
    try workshop.run("objcopy", "--strip-all", "whole", "p")
    return Binutils(workshop: workshop, path: workshop.path("whole"))
  }

  static func resolver(_ workshop: Workshop) -> ProbeResolver {
    ProbeResolver(
      command: [], defaultPath: workshop.path("p"),
      search: workshop.search(debugRoots: [workshop.path("debug")]))
  }

  static func buildIDPath(_ judge: Binutils) throws -> String {
    let id = try #require(try judge.buildID())
    return "debug/.build-id/\(id.prefix(2))/\(id.dropFirst(2)).debug"
  }

  @Test(
    "a static function of a stripped program is found through the build id",
    arguments: [["-pie"], ["-no-pie"]])
  func byBuildID(flags: [String]) throws {
    let workshop = try Workshop()
    let judge = try Self.split(workshop, flags[0], "-Wl,--build-id=sha1")
    let resolver = Self.resolver(workshop)
    guard case .stripped(_, let looked, [])? = try resolver.problem("hidden") else {
      guard case .unknownSymbol(_, _, _, .strippedOfLocals)? = try resolver.problem("hidden") else {
        Issue.record("a stripped program gave a static function")
        return
      }
      return
    }
    let place = try Self.buildIDPath(judge)
    #expect(looked == [workshop.path(place)])
    try workshop.run("install", "-D", "p.debug", place)
    let probe = try #require(try resolver.resolve([ProbeSpecification("hidden")]).first)
    #expect(probe.fileOffset == (try judge.fileOffset(ofSymbol: "hidden")))
    #expect(probe.path == workshop.path("p"))
    let stripped = Binutils(workshop: workshop, path: workshop.path("p"))
    #expect(probe.originalBytes == (try stripped.bytes(at: probe.fileOffset, count: 16)))
  }

  @Test(
    "a static function is found through the debug link, beside the file, in .debug and under the root",
    arguments: ["p.debug", ".debug/p.debug", "root"])
  func byDebugLink(place: String) throws {
    let workshop = try Workshop()
    let judge = try Self.split(workshop, "-Wl,--build-id=none")
    try workshop.run("objcopy", "--add-gnu-debuglink=p.debug", "p")
    let target = place == "root" ? "debug" + workshop.directory + "/p.debug" : place
    if target != "p.debug" {
      try workshop.run("install", "-D", "p.debug", target)
      try workshop.run("rm", "p.debug")
    }
    let probe = try #require(
      try Self.resolver(workshop).resolve([ProbeSpecification("hidden")]).first)
    #expect(probe.fileOffset == (try judge.fileOffset(ofSymbol: "hidden")))
    #expect(probe.buildID.isEmpty)
  }

  @Test("a debug file whose checksum or build id is another's is not believed, and named")
  func mismatches() throws {
    let workshop = try Workshop()
    _ = try Self.split(workshop, "-Wl,--build-id=none")
    try workshop.run("objcopy", "--add-gnu-debuglink=p.debug", "p")
    try workshop.run("cp", "whole", "p.debug")
    guard
      case .stripped(_, _, let mismatched)? = try Self.resolver(workshop).problem("hidden")
    else {
      Issue.record("a debug file with a wrong checksum was believed")
      return
    }
    #expect(mismatched == [workshop.path("p.debug")])

    let other = try Workshop()
    let judge = try Self.split(other, "-Wl,--build-id=sha1")
    try other.write("q.c", "int main(void) { return 1; }")
    try other.run("gcc", "-o", "q", "q.c", "-Wl,--build-id=sha1")
    let place = try Self.buildIDPath(judge)
    try other.run("install", "-D", "q", place)
    guard case .stripped(_, _, let wrong)? = try Self.resolver(other).problem("hidden") else {
      Issue.record("a debug file with a wrong build id was believed")
      return
    }
    #expect(wrong == [other.path(place)])
  }

  @Test("a stripped program without debug file says so and what to install")
  func stripped() throws {
    let workshop = try Workshop()
    let path = try workshop.build("p", source: Self.source, as: "p.c", "-s", "-static")
    let problem = try #require(try workshop.resolver(defaultPath: path).problem("hidden"))
    guard case .stripped(path, _, _) = problem else {
      Issue.record("\(problem)")
      return
    }
    #expect(problem.description.contains("uprobe:\(path):0x"))
  }
}
