import HandlerHost
import ProbeEvents
import Replay
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
}
