import ProbeEvents
import ProbetapeTesting
import Replay
import TapeFormat
import Testing

/// What is said about one tape of each class of divergence, word for word.
@Suite struct ExplanationTests {
  /// The text about the first divergence of a tape.
  private func explain(
    _ bytes: [UInt8], handler: HandlerChoice = .modelOfTape, asked: Divergence? = nil
  ) throws -> String {
    let divergence = try asked ?? #require(try replay(bytes, handler: handler).divergences.first)
    var reader = try TapeReader(bytes: bytes)
    let explained = try TapeExplanation.explain([divergence], &reader, handler: handler)
    return ExplanationText.lines(explained[0]).joined(separator: "\n")
  }

  @Test(arguments: try ExplainedTapes.all())
  func `what is said of each class of divergence`(tape: ExplainedTape) throws {
    let divergence = try #require(try replay(tape.bytes, handler: tape.handler).divergences.first)
    #expect(divergence.kind == tape.kind)
    let text = try explain(tape.bytes, handler: tape.handler)
    #expect(text == ExplainedTapes.texts[tape.kind])
  }

  @Test(arguments: [
    DivergenceClass.wrongMemory, .handlerFaulted, .handlerCrashed, .handlerTimedOut,
  ])
  func `what is said of a foreign handler that failed`(kind: DivergenceClass) throws {
    let text = try explain(
      try ExplainedTapes.nested(), asked: ExplainedTapes.foreign(kind))
    #expect(text == ExplainedTapes.texts[kind])
  }

  @Test func `every class has its text`() {
    #expect(Set(ExplainedTapes.texts.keys) == Set(DivergenceClass.allCases))
  }
}
