public import KernelModel
import ProbeEvents

/// The handler a user asked for.
public enum HandlerChoice: Sendable, Hashable {
  /// The model with the rules of the recording kernel.
  case modelOfTape
  /// The model with the rules of an epoch, and the name it was asked for by.
  case model(Epoch, name: String)

  /// A handler from its command-line form: `model` or `model:RELEASE` or `model:E3`; nil when the
  /// text names none.
  public init?(_ text: String) {
    if text == "model" {
      self = .modelOfTape
      return
    }
    guard text.hasPrefix("model:") else { return nil }
    let wanted = String(text.dropFirst("model:".count))
    let named = Epoch.allCases.first { $0.name.lowercased() == wanted.lowercased() }
    guard let epoch = named ?? Epoch(release: wanted) else { return nil }
    self = .model(epoch, name: text)
  }

  /// The rules by which probed instructions take effect.
  func uprobeRules(for kernel: KernelFacts) -> UprobeRules {
    switch self {
    case .modelOfTape: UprobeRules(kernel: kernel)
    case .model(let epoch, _): UprobeRules(epoch: epoch, architecture: kernel.architecture)
    }
  }

  func handler(for kernel: KernelFacts) -> ModelHandler {
    switch self {
    case .modelOfTape:
      ModelHandler(name: "model", rules: ReturnProbeRules(kernel: kernel))
    case .model(let epoch, let name):
      ModelHandler(
        name: name, rules: ReturnProbeRules(epoch: epoch, architecture: kernel.architecture))
    }
  }
}
