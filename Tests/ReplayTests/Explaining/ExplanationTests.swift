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

  @Test func placeholder() throws {
    var out = ""
    func show(_ name: String, _ bytes: [UInt8], _ handler: HandlerChoice = .modelOfTape, asked: Divergence? = nil) throws {
      out += "=== \(name)\n" + (try explain(bytes, handler: handler, asked: asked)) + "\n"
    }
    for (name, bytes, handler) in try ExplainedTapes.all() { try show(name, bytes, handler) }
    for kind in [DivergenceClass.wrongMemory, .handlerFaulted, .handlerCrashed, .handlerTimedOut] {
      try show(kind.rawValue, try ExplainedTapes.nested(), asked: ExplainedTapes.foreign(kind))
    }
    print(out)
  }
}
