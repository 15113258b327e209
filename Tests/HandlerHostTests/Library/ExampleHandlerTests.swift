import HandlerHost
import ProbeEvents
import Replay
import TapeFormat
import Testing

@Suite struct ExampleHandlerTests {
  @Test(
    "the example handler in C explains what the model explains", arguments: Architecture.allCases)
  func example(architecture: Architecture) throws {
    let built = try BuiltLibrary(example: "handler.c")
    let library = try HandlerLibrary(path: built.path)
    let model = try #require(HandlerChoice("model:6.1"))
    for situation in try Tapes.all(architecture) {
      let theirs = try Tapes.conclusions(situation.bytes, library: library)
      #expect(theirs == (try Tapes.conclusions(situation.bytes, model: model)))
    }
  }

  @Test("the example handler in Swift explains what the model explains")
  func swiftExample() throws {
    let built = try BuiltLibrary(swiftExample: "Handler.swift")
    let library = try HandlerLibrary(path: built.path)
    let model = try #require(HandlerChoice("model:6.1"))
    for situation in try Tapes.all(.x86_64) {
      let theirs = try Tapes.conclusions(situation.bytes, library: library)
      #expect(theirs == (try Tapes.conclusions(situation.bytes, model: model)))
    }
  }

  @Test("a library of another version, or without its functions, is refused with its reason")
  func refusals() throws {
    #expect {
      try HandlerLibrary(path: "/no/such/library.so")
    } throws: { error in
      guard case .cannotLoad? = error as? HandlerLibraryError else { return false }
      return true
    }
    let stranger = try BuiltLibrary(source: "int nothing;")
    #expect(throws: HandlerLibraryError.noHandler(path: stranger.path)) {
      try HandlerLibrary(path: stranger.path)
    }
    let newer = try BuiltLibrary(
      source: """
        #include "probe_handler.h"
        static const struct probe_handler h = { 99, sizeof h };
        const struct probe_handler *probe_handler_v1(void) { return &h; }
        """)
    #expect(
      throws: HandlerLibraryError.wrongVersion(path: newer.path, found: 99, expected: 1)
    ) { try HandlerLibrary(path: newer.path) }
    let bare = try BuiltLibrary(
      source: """
        #include "probe_handler.h"
        static const struct probe_handler h = { PROBE_HANDLER_ABI_VERSION, sizeof h, "bare" };
        const struct probe_handler *probe_handler_v1(void) { return &h; }
        """)
    #expect(throws: HandlerLibraryError.missingFunction(path: bare.path, name: "create")) {
      try HandlerLibrary(path: bare.path)
    }
  }

  @Test("a handler that contradicts itself ends as a fault at its hit, and harms nobody")
  func contradiction() throws {
    // Says that it dropped instances it never had.
    let built = try BuiltLibrary(
      example: "handler.c", replacing: "conclusion->outcome = is_chained ?",
      by: "conclusion->dropped = 9; conclusion->outcome = is_chained ?")
    let library = try HandlerLibrary(path: built.path)
    var reader = try TapeReader(bytes: try Tapes.chain(.x86_64))
    let conclusion = try ForeignReplay.replay(&reader, library: library, name: "liar")
    #expect(conclusion.divergences.first?.kind == .handlerFaulted)
    #expect(conclusion.divergences.first?.hit == 0)
  }

  @Test("a handler that does not replace the return address is told so")
  func noHijack() throws {
    let built = try BuiltLibrary(
      example: "handler.c", replacing: "if (!hijack(state, entry)) {", by: "if (0) {")
    let library = try HandlerLibrary(path: built.path)
    var reader = try TapeReader(bytes: try Tapes.chain(.x86_64))
    let conclusion = try ForeignReplay.replay(&reader, library: library, name: "lazy")
    #expect(conclusion.divergences.first?.kind == .wrongMemory)
  }
}
