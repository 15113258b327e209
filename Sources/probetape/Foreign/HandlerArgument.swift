import ArgumentParser
import HandlerHost
import ProbeEvents
import Replay

/// The `--handler` argument: who judges.
enum HandlerArgument: Hashable, Sendable {
  /// Our model, in this process.
  case model(HandlerChoice)
  /// A foreign handler, in a process of its own.
  case foreign(ForeignSource)

  static let help: ArgumentHelp =
    "The handler: model, model:RELEASE, model:EPOCH, kernel:DIR[@REV] or library:FILE."

  static func parse(_ text: String) throws -> HandlerArgument {
    if let choice = HandlerChoice(text) { return .model(choice) }
    if let source = ForeignSource(text) { return .foreign(source) }
    throw ValidationError(
      "'\(text)' is no handler. Use model, model:RELEASE (for example model:6.1), model:EPOCH "
        + "(E0 to E9), kernel:DIR, kernel:DIR@REV or library:FILE.")
  }
}

extension HandlerArgument {
  /// The form it was given in.
  var text: String {
    switch self {
    case .model(.modelOfTape): "model"
    case .model(.model(_, let name)): name
    case .foreign(let source): source.name
    }
  }

  /// Whose rules it follows, for people.
  func rulesText(for kernel: KernelFacts) -> String {
    switch self {
    case .model(let choice): choice.rulesText(for: kernel)
    case .foreign(let source): source.name
    }
  }
}

/// Where a foreign handler comes from.
enum ForeignSource: Hashable, Sendable {
  case library(String)
  case kernel(KernelTree)

  init?(_ text: String) {
    if text.hasPrefix("library:"), text.count > "library:".count {
      self = .library(String(text.dropFirst("library:".count)))
    } else if text.hasPrefix("kernel:"), text.count > "kernel:".count {
      self = .kernel(KernelTree(String(text.dropFirst("kernel:".count))))
    } else {
      return nil
    }
  }

  /// The form it was given in.
  var name: String {
    switch self {
    case .library(let path): "library:\(path)"
    case .kernel(let tree): "kernel:\(tree.text)"
    }
  }
}

/// How foreign handlers are run.
struct ForeignOptions: ParsableArguments, Sendable {
  @Flag(help: "Build a kernel handler with the address and undefined-behaviour sanitizers.")
  var sanitize = false

  @Option(
    help: ArgumentHelp(
      "A foreign handler that makes no progress for this long has timed out.",
      valueName: "seconds"))
  var timeLimit: Int = 10

  func validate() throws {
    guard timeLimit > 0 else {
      throw ValidationError("--time-limit takes a number from 1 upwards.")
    }
  }
}
