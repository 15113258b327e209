import HandlerHost
import ProbeEvents
import Replay
import TapeFormat
import Testing

/// The third judge: the kernel's own code of Debian's 6.1 explains what 6.18 did, hit for hit.
///
/// None of the recorded situations tells the two releases apart. What changed between them in this
/// logic is how the trampoline is entered (6.11), which consumers' handlers run (6.13) and sites that
/// are optimised (6.18); the calls that return, their order and their addresses stayed the same from
/// 4.3 on.
@Suite(.enabled(if: KernelSources.hasDebian61, "there is no linux-source-6.1 to test with"))
struct RecordingTests {
  static let tapes: [String] = {
    let manifest = SmallFiles.read(Repository.root + "/recordings/MANIFEST", limit: 1 << 20) ?? []
    return String(decoding: manifest, as: UTF8.self).split(separator: "\n")
      .filter { !$0.hasPrefix("#") }
      .compactMap { $0.split(separator: "\t").first.map(String.init) }
  }()

  @Test("there are recordings")
  func notEmpty() { #expect(Self.tapes.count >= 40) }

  @Test("6.1's own code explains a recording", arguments: tapes)
  func explains(tape: String) throws {
    var reader = try TapeReader(path: "\(Repository.root)/recordings/\(tape)")
    let path = try KernelSourceHandler.build(
      KernelTree(directory: try KernelSources.debian61.get()),
      architecture: reader.header.kernel.architecture)
    let conclusion = try ForeignReplay.replay(
      &reader, library: try HandlerLibrary(path: path), name: "6.1")
    #expect(conclusion.divergences == [])
    #expect(conclusion.verdict == .match)
    #expect(conclusion.evidence.returns == conclusion.returns)
  }

  @Test("the sanitizers find nothing while 6.1's own code replays all recordings")
  func sanitized() throws {
    let tree = try KernelSources.debian61.get()
    let outcome = try CommandLineTool.run(
      "replay", "--sanitize", "--handler", "kernel:\(tree)", "\(Repository.root)/recordings")
    #expect(outcome.status == 0, "\(outcome.text)\(outcome.errors)")
    #expect(outcome.text.contains("\(Self.tapes.count) match, 0 diverged, 0 unjudged"))
  }

  @Test("a 6.1 with the test for 32-bit tasks of 5.2 corrupts the stack of the recorded one")
  func compat() throws {
    let copy = try PlantedTree(try KernelSources.debian61.get())
    try copy.replace(
      "return user_64bit_mode(regs) ? 8 : 4;", by: "return in_ia32_syscall() ? 4 : 8;",
      in: PlantedTree.x86)
    let tape = try #require(Self.tapes.first { $0.hasSuffix("/compat-calls.tape") })
    var reader = try TapeReader(path: "\(Repository.root)/recordings/\(tape)")
    let path = try KernelSourceHandler.build(
      KernelTree(directory: copy.path), architecture: .x86_64)
    let conclusion = try ForeignReplay.replay(
      &reader, library: try HandlerLibrary(path: path), name: "5.2")
    #expect(conclusion.divergences.first?.hit == 0)
    #expect(conclusion.divergences.first?.kind == .wrongMemory)
    #expect(conclusion.divergences.first?.actual.hasPrefix("8 bytes written at ") == true)
  }

  @Test("matrix has a column for each kernel, and says where a planted bug diverges")
  func matrix() throws {
    let tree = try KernelSources.debian61.get()
    let copy = try PlantedTree(tree)
    try copy.replace(
      "ri->chained = chained;", by: "ri->chained = false;", in: PlantedTree.core)
    let tape = try #require(Self.tapes.first { $0.hasSuffix("/tail-chain.tape") })
    let arguments = [
      try CommandLineTool.path, "matrix", "--kernel", tree, "--kernel", copy.path, "--kernel",
      "/no/such/tree", "\(Repository.root)/recordings/\(tape)",
    ]
    let outcome = try HelperProcess.run(arguments)
    #expect(outcome.status == 0)
    #expect(outcome.text.contains("# K2: kernel:\(copy.path)\n"))
    let row = try #require(outcome.text.split(separator: "\n").last)
    // Without the flag the first tail call counts as an ordinary one.
    #expect(row.split(separator: " ").suffix(3) == ["=", "2", "?"])
    #expect(
      outcome.errors.contains("kernel:/no/such/tree: /no/such/tree: there is no such directory"))
    let json = try HelperProcess.run(arguments + ["--json"])
    #expect(json.text.contains("\"handler\" : \"kernel:\(copy.path)\""))
  }
}
