import HandlerHost
import ProbeEvents
import Replay
import TapeFormat
import Testing

/// Handlers that misbehave, through the command line: what happens to the tape, and that nothing
/// happens to us.
@Suite struct SupervisionTests {
  private func replay(_ planted: String, _ bytes: [UInt8], _ more: String...) throws
    -> (status: Int32, output: String)
  {
    let built = try BuiltLibrary(
      example: "handler.c", replacing: "conclusion->outcome = is_chained ?",
      by: "\(planted) conclusion->outcome = is_chained ?")
    let directory = try TemporaryDirectory()
    let tape = directory.path + "/some.tape"
    try SmallFiles.write(bytes, to: tape)
    let outcome = try HelperProcess.run(
      [
        try CommandLineTool.path, "replay", "--format", "json", "--handler",
        "library:\(built.path)",
        "--time-limit", "1", tape, tape,
      ])
    return (outcome.status, String(decoding: outcome.output, as: UTF8.self))
  }

  @Test("a handler that crashes is a divergence of every tape, at the hit where it crashed")
  func crash() throws {
    let (status, output) = try replay(
      "if (entry->entry >> 24 == 2) *(volatile int *)8 = 1;", try Tapes.chain(.x86_64))
    #expect(status == 1)
    #expect(output.ranges(of: "\"class\" : \"handlerCrashed\"").count == 2)
    #expect(output.ranges(of: "\"hit\" : 2,").count == 2)
  }

  @Test("a handler that loops is stopped at its hit")
  func loop() throws {
    let (status, output) = try replay(
      "if (entry->entry >> 24 == 1) for (volatile int forever = 1; forever;);",
      try Tapes.chain(.x86_64))
    #expect(status == 1)
    #expect(output.ranges(of: "\"class\" : \"handlerTimedOut\"").count == 2)
    #expect(output.ranges(of: "\"hit\" : 1,").count == 2)
  }

  @Test("a handler that cannot be loaded is unjudged, with the reason")
  func notThere() throws {
    let directory = try TemporaryDirectory()
    let tape = directory.path + "/some.tape"
    try SmallFiles.write(try Tapes.chain(.x86_64), to: tape)
    let outcome = try CommandLineTool.run(
      "replay", "--handler", "library:\(directory.path)/none.so", tape)
    #expect(outcome.status == 125)
    #expect(String(decoding: outcome.output, as: UTF8.self).contains("cannot be loaded"))
  }

  @Test("a handler that ends its process is a divergence at its hit, too")
  func exit() throws {
    let (status, output) = try replay(
      "if (entry->entry >> 24 == 1) exit(0);", try Tapes.chain(.x86_64))
    #expect(status == 1)
    #expect(output.ranges(of: "\"class\" : \"handlerCrashed\"").count == 2)
    #expect(output.contains("it ended its process with status 0"))
    #expect(output.ranges(of: "\"hit\" : 1,").count == 2)
  }

  @Test("what a handler prints does not get between a judge and its supervisor")
  func chatter() throws {
    let (status, output) = try replay(
      "extern long write(int, const void *, unsigned long); write(1, \"{}\\nb\\n\", 5);",
      try Tapes.chain(.x86_64))
    #expect(status == 0, "\(output)")
  }

  /// `show` with a handler that does `planted` at the entry of each hit.
  private func show(
    _ planted: String, _ bytes: [UInt8], json: Bool = false
  ) throws -> HelperProcess.Outcome {
    let built = try BuiltLibrary(
      example: "handler.c", replacing: "conclusion->outcome = is_chained ?",
      by: "\(planted) conclusion->outcome = is_chained ?")
    let directory = try TemporaryDirectory()
    let tape = try directory.file("some.tape", bytes)
    return try HelperProcess.run(
      [
        try CommandLineTool.path, "show", "--time-limit", "1", "--handler",
        "library:\(built.path)",
      ] + (json ? ["--json"] : []) + [tape])
  }

  /// The lines that begin with a hit's number.
  private func hits(_ text: String) -> [Substring] {
    text.split(separator: "\n").filter { $0.first?.isNumber == true }
  }

  @Test(
    "show prints up to the hit at which a handler ends, and says how it ended",
    arguments: [
      ("*(volatile int *)8 = 1;", "handlerCrashed", "died of signal 11"),
      ("abort();", "handlerCrashed", "died of signal 6"),
      ("exit(7);", "handlerCrashed", "ended its process with status 7"),
      ("for (volatile int forever = 1; forever;);", "handlerTimedOut", "no progress for 1 s"),
    ])
  func showUpToEnd(what: String, kind: String, how: String) throws {
    let outcome = try show("if (entry->entry >> 24 == 2) \(what)", try Tapes.chain(.x86_64))
    let lines = hits(outcome.text)
    #expect(lines.count == 3)
    #expect(lines.first?.contains("-> f (") == true && lines.first?.hasSuffix("depth 1") == true)
    #expect(lines.dropFirst().first?.hasSuffix("| chained, depth 2") == true)
    #expect(lines.last?.contains("-> h (") == true)
    #expect(lines.last?.contains("DIVERGED \(kind)") == true)
    #expect(outcome.errors.contains("the handler ended at hit 2: "))
    #expect(outcome.errors.contains(how))
    let json = try show(
      "if (entry->entry >> 24 == 2) \(what)", try Tapes.chain(.x86_64), json: true)
    let objects = json.text.split(separator: "\n")
    #expect(objects.count == 3)
    #expect(objects.last?.contains("\"diverged:\(kind)\"") == true)
  }

  @Test(
    "show through a process of its own prints what it prints without, divergences and all",
    arguments: ["is_chained", "0"])
  func showIsTheSame(chained: String) throws {
    let built = try BuiltLibrary(
      example: "handler.c", replacing: "instance->is_chained = is_chained;",
      by: "instance->is_chained = \(chained);")
    let library = try HandlerLibrary(path: built.path)
    for situation in try Tapes.all(.x86_64) {
      let directory = try TemporaryDirectory()
      let tape = try directory.file("some.tape", situation.bytes)
      let outcome = try CommandLineTool.run("show", "--handler", "library:\(built.path)", tape)
      var reader = try TapeReader(bytes: situation.bytes)
      var text = TapeText(header: reader.header)
      var lines = text.preamble
      _ = try ForeignReplay.annotate(&reader, library: library, name: "same") {
        lines += text.lines($0, $1)
      }
      let shown = outcome.text.split(separator: "\n").map(String.init)
      #expect(shown.dropLast() == lines[...], "\(situation.testDescription)")
    }
  }

  @Test("show refuses a library that is none with its reason, and 125")
  func showRefusal() throws {
    let directory = try TemporaryDirectory()
    let tape = try directory.file("some.tape", try Tapes.chain(.x86_64))
    let outcome = try CommandLineTool.run(
      "show", "--handler", "library:\(directory.path)/none.so", tape)
    #expect(outcome.status == 125)
    #expect(outcome.errors.contains("cannot be loaded as a handler"))
  }
}
