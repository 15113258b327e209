import KernelModel
public import ProbeEvents
public import TapeFormat

/// Replays a tape once more to explain what the first replay found.
public enum TapeExplanation {
  /// Explains the divergences of our model on an opened tape, in their order.
  public static func explain(
    _ divergences: [Divergence], _ reader: inout TapeReader, handler: HandlerChoice
  ) throws -> [Explanation] {
    let header = reader.header
    var explainer = Explainer(
      header: header, rules: handler.rulesText(for: header.kernel),
      asked: divergences.filter { $0.kind.isOfForeignHandler })
    _ = try TapeReplay.annotate(&reader, handler: handler) { columns, concluded in
      explainer.follow(columns, concluded)
    }
    return divergences.map { explainer.explanation(of: $0) }
  }
}

extension HandlerChoice {
  /// Whose rules these are, for people.
  public func rulesText(for kernel: KernelFacts) -> String {
    switch self {
    case .modelOfTape:
      let epoch = Epoch(release: kernel.release).map { " (\($0.name), kernels \($0.kernels))" }
      return "model of the tape's kernel \(printable(kernel.release))\(epoch ?? "")"
    case .model(let epoch, let name): return "\(name) (\(epoch.name), kernels \(epoch.kernels))"
    }
  }
}

extension DivergenceClass {
  /// Whether only foreign handlers can diverge so: our model cannot repeat it.
  fileprivate var isOfForeignHandler: Bool {
    switch self {
    case .wrongMemory, .handlerFaulted, .handlerCrashed, .handlerTimedOut: true
    case .unexpectedReturn, .missingReturn, .wrongReturn, .wrongReturnAddress, .chainMismatch,
      .strayTrampolineWord, .lostTrampolineWord, .witnessMismatch, .unexpectedSignal, .wrongSignal,
      .wrongExit, .wrongStep:
      false
    }
  }
}
