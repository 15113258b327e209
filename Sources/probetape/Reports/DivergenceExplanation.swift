import HandlerHost
import ProbeEvents
import Replay
import TapeFormat

/// Adds explanations to conclusions, by replaying their tapes once more: replay itself keeps no
/// history.
enum DivergenceExplanation {
  /// Explains what our model, or a foreign handler that cannot be asked again, was found wrong with.
  /// Other foreign handlers were asked where they ran.
  static func add(to results: inout [BatchResult], _ handler: HandlerArgument) {
    for index in results.indices {
      guard case .success(var conclusion) = results[index].outcome else { continue }
      let missing = conclusion.divergences.indices.filter {
        conclusion.divergences[$0].explanation == nil
      }
      guard !missing.isEmpty else { continue }
      let choice: HandlerChoice =
        switch handler {
        case .model(let choice): choice
        case .foreign: .modelOfTape
        }
      do {
        var reader = try TapeReader(path: results[index].path)
        let explained = try TapeExplanation.explain(
          missing.map { conclusion.divergences[$0] }, &reader, handler: choice)
        for (place, explanation) in zip(missing, explained) {
          conclusion.divergences[place].explanation = explanation
        }
        results[index].outcome = .success(conclusion)
      } catch {
        Console.note(
          "probetape: \(results[index].path): the tape can no longer be read to explain: \(error)")
      }
    }
  }

  /// Explains the divergences of a foreign handler, in the process that has loaded it.
  static func add(
    to conclusion: inout TapeConclusion, _ path: String, library: HandlerLibrary, name: String,
    progress: some ReplayProgress
  ) throws {
    var reader = try TapeReader(path: path)
    var explainer = Explainer(header: reader.header, rules: name)
    var hits: UInt64 = 0
    _ = try ForeignReplay.annotate(&reader, library: library, name: name) { columns, concluded in
      explainer.follow(columns, concluded)
      hits += UInt64(columns.count)
      progress.reached(hit: hits)
    }
    for index in conclusion.divergences.indices {
      let divergence = conclusion.divergences[index]
      conclusion.divergences[index].explanation = explainer.explanation(of: divergence)
    }
  }
}
