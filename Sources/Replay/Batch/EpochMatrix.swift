import KernelModel
import ProbeEvents
public import TapeFormat

/// One tape's row of the matrix: its verdict under the rules of every epoch.
public struct EpochMatrixRow: Sendable {
  /// The tape's path.
  public var path: String
  /// The recording kernel's release; empty when the tape could not be read.
  public var release: String
  /// The conclusion under the tape's own rules, or why it could not be read.
  public var own: Result<TapeConclusion, TapeError>
  /// The conclusion under each epoch's rules, in the order of `Epoch.allCases`.
  public var epochs: [TapeConclusion]
}

/// Replays each tape under the rules of every epoch.
public enum EpochMatrix {
  /// The rows, in the order of `paths`.
  public static func rows(paths: [String], jobs: Int) -> [EpochMatrixRow] {
    let handlers =
      [HandlerChoice.modelOfTape]
      + Epoch.allCases.map { HandlerChoice.model($0, name: "model:\($0.name)") }
    let results = TapeBatch.replay(paths: paths, handlers: handlers, jobs: jobs)
    return paths.indices.map { index in
      let first = index * handlers.count
      let row = results[first..<first + handlers.count]
      let release = try? TapeReader(path: paths[index]).header.kernel.release
      return EpochMatrixRow(
        path: paths[index], release: release ?? "", own: row[row.startIndex].outcome,
        epochs: row.dropFirst().compactMap { try? $0.outcome.get() })
    }
  }
}
