import HandlerHost
import ProbeEvents
import ProbetapeTesting
import Replay
import TapeFormat
import Testing

/// Bugs planted into the example handler, found on a large tape, come down to what they need.
@Suite struct ReduceLibraryTests {
  /// A folder with a tape of random calls.
  private func folder(hits: UInt64) throws -> TemporaryDirectory {
    let folder = try TemporaryDirectory()
    _ = try CommandLineTool.run(
      "synth", "--seed", "4", "--hits", "\(hits)", "-o", folder.path + "/big.tape")
    return folder
  }

  /// The kinds of a tape's hits, and whether each is chained.
  private func shape(_ path: String) throws -> [String] {
    var lines: [String] = []
    var reader = try TapeReader(path: path)
    _ = try TapeReplay.annotate(&reader, handler: .modelOfTape) { _, concluded in
      for annotated in concluded {
        switch annotated.conclusion {
        case .entry(let entry): lines.append("\(entry.outcome)")
        case .returned: lines.append("returned")
        case .returnOfUnseenEntry, .signal, .unjudged, .diverged: lines.append("other")
        }
      }
    }
    return lines
  }

  @Test(arguments: [
    // A tail call is taken for a call that finds its caller dead, and gets the return address of
    // the call before that one.
    (
      "context == CHAINED_CALL ||", "0 ||",
      ["pushed", "pushed", "chained", "returned", "returned"], "wrongReturnAddress"
    ),
    // The handler dies of the first tail call.
    (
      "    if (is_chained && !task->depth) {", "    if (is_chained) abort();\n    if (0) {",
      ["pushed", "chained"], "handlerCrashed"
    ),
  ])
  func `a planted bug comes down to what it needs`(
    old: String, new: String, expected: [String], kind: String
  ) throws {
    let library = try BuiltLibrary(example: "handler.c", replacing: old, by: new)
    let folder = try folder(hits: 20_000)
    let small = folder.path + "/small.tape"
    let outcome = try CommandLineTool.run(
      "reduce", "--handler", "library:" + library.path, folder.path + "/big.tape", "-o", small)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors.contains(kind))
    #expect(try shape(small) == expected)
    let replayed = try CommandLineTool.run(
      "replay", "--handler", "library:" + library.path, small)
    let text = String(decoding: replayed.output, as: UTF8.self)
    #expect(text.contains(kind) && text.contains("why: "))
  }

  // The call that a jump left is taken for one that is alive: it, the one that returns, and the return.
  @Test(.enabled(if: KernelSources.hasDebian61, "there is no linux-source-6.1 to test with"))
  func `a bug planted into the kernel's own code comes down to what it needs`() throws {
    let copy = try PlantedTree(try KernelSources.debian61.get())
    try copy.replace("sp < ret->stack", by: "sp > ret->stack", in: PlantedTree.x86)
    let folder = try TemporaryDirectory()
    let small = folder.path + "/small.tape"
    let tape = Repository.root + "/recordings/x86_64/6.18.44/siglongjmp-from-handler.tape"
    let outcome = try CommandLineTool.run(
      "reduce", "--handler", "kernel:" + copy.path, tape, "-o", small)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors.contains("3 of 6 hits, wrongReturn"))
    #expect(try shape(small) == ["pushed", "pushed", "returned"])
    #expect(
      try CommandLineTool.run("replay", "--handler", "kernel:" + copy.path, small).status == 1)
  }

  @Test func `a handler that cannot be built is not called one that does not diverge`() throws {
    let folder = try folder(hits: 10)
    let outcome = try CommandLineTool.run(
      "reduce", "--handler", "kernel:/no/such/tree", folder.path + "/big.tape", "-o",
      folder.path + "/small.tape")
    #expect(outcome.status == 125)
    #expect(outcome.errors.contains("cannot be judged"))
    #expect(outcome.errors.contains("/no/such/tree: there is no such directory"))
  }

  @Test func `Ctrl-C ends with the best so far`() throws {
    // Half a second for each candidate: many more are wanted than fit into the time.
    let file = Repository.root + "/tools/examples/handler.c"
    let text = String(decoding: try #require(SmallFiles.read(file, limit: 1 << 20)), as: UTF8.self)
      .replacing("#include <stdlib.h>", with: "#include <stdlib.h>\n#include <unistd.h>")
      .replacing("context == CHAINED_CALL ||", with: "0 ||")
      .replacing(
        "state->architecture = tape->architecture;",
        with: "state->architecture = tape->architecture; usleep(500000);")
    let library = try BuiltLibrary(source: text)
    let folder = try folder(hits: 3000)
    let small = folder.path + "/small.tape"
    let outcome = try HelperProcess.run([
      "timeout", "-s", "INT", "12", try CommandLineTool.path, "reduce", "--handler",
      "library:" + library.path, folder.path + "/big.tape", "-o", small,
    ])
    // 124 is what `timeout` itself ends with.
    #expect(outcome.status == 124, "\(outcome.errors)")
    #expect(outcome.errors.contains("stopped before the end"))
    let count = try shape(small).count
    #expect(count > 2 && count < 3000)
    let replayed = try CommandLineTool.run(
      "replay", "--handler", "library:" + library.path, small)
    #expect(replayed.status == 1)
  }
}
