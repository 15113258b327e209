import Dispatch
import HandlerHost
import ProbeEvents
import Replay
import Synchronization
import TapeFormat

/// Replays tapes through any handler the command line can name.
enum HandlerBatch {
  /// The results in the order of `paths`.
  static func replay(
    _ paths: [String], _ handler: HandlerArgument, _ options: ForeignOptions, jobs: Int
  ) -> [BatchResult] {
    switch handler {
    case .model(let choice):
      TapeBatch.replay(paths: paths, handlers: [choice], jobs: jobs)
    case .foreign(let source):
      ForeignBatch(source: source, options: options).replay(paths, jobs: jobs)
    }
  }
}

extension HandlerBatch {
  /// Replays one tape and hands every block to `visit`, with what was concluded about its hits and
  /// how many of its hits there is something to say about.
  static func annotate(
    _ reader: inout TapeReader, _ path: String, _ handler: HandlerArgument,
    _ options: ForeignOptions, visit: (HitColumns, [AnnotatedConclusion], Int) throws -> Void
  ) throws -> TapeConclusion {
    switch handler {
    case .model(let choice):
      return try TapeReplay.annotate(&reader, handler: choice) { columns, concluded in
        try visit(columns, concluded, columns.count)
      }
    case .foreign(let source):
      return try ForeignBatch(source: source, options: options)
        .supervisor(reader.header.kernel.architecture).annotate(&reader, path, visit: visit)
    }
  }
}

/// Replays tapes through a foreign handler, some at a time.
struct ForeignBatch: Sendable {
  let source: ForeignSource
  let options: ForeignOptions
  /// Whether divergences are explained.
  var explains = true

  func replay(_ paths: [String], jobs: Int) -> [BatchResult] {
    var results = [BatchResult?](repeating: nil, count: paths.count)
    // The tape's architecture decides which of a kernel's files are built.
    var work: [Architecture: [Int]] = [:]
    for (index, path) in paths.enumerated() {
      do {
        let reader = try TapeReader(path: path)
        work[reader.header.kernel.architecture, default: []].append(index)
      } catch {
        results[index] = BatchResult(path: path, outcome: .failure(error))
      }
    }
    for (architecture, indices) in work.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      let some = indices.map { paths[$0] }
      for (index, conclusion) in zip(indices, replay(some, architecture, jobs: jobs)) {
        results[index] = BatchResult(path: paths[index], outcome: .success(conclusion))
      }
    }
    return results.compactMap { $0 }
  }

  private func replay(
    _ paths: [String], _ architecture: Architecture, jobs: Int
  ) -> [TapeConclusion] {
    let supervisor: Supervisor
    do {
      supervisor = try self.supervisor(architecture)
    } catch {
      return paths.map { _ in unjudged("\(error)") }
    }
    let lanes = max(1, min(jobs, paths.count))
    let length = (paths.count + lanes - 1) / lanes
    let parts = stride(from: 0, to: paths.count, by: length).map {
      Array(paths[$0..<min($0 + length, paths.count)])
    }
    let done = Mutex<[(Int, [TapeConclusion])]>([])
    DispatchQueue.concurrentPerform(iterations: parts.count) { index in
      let conclusions: [TapeConclusion]
      do {
        conclusions = try supervisor.replay(parts[index])
      } catch {
        conclusions = parts[index].map { _ in unjudged("\(error)") }
      }
      done.withLock { $0.append((index, conclusions)) }
    }
    return done.withLock { $0.sorted { $0.0 < $1.0 }.flatMap(\.1) }
  }

  /// Builds what has to be built.
  func supervisor(_ architecture: Architecture) throws(KernelSourceError) -> Supervisor {
    switch source {
    case .library(let path):
      Supervisor(
        library: path, name: source.name, preload: nil, timeLimit: options.timeLimit,
        explains: explains)
    case .kernel(let tree):
      Supervisor(
        library: try KernelSourceHandler.build(
          tree, architecture: architecture, isSanitized: options.sanitize),
        name: source.name,
        preload: options.sanitize ? try KernelSourceHandler.sanitizerRuntime() : nil,
        timeLimit: options.timeLimit, explains: explains)
    }
  }

  private func unjudged(_ reason: String) -> TapeConclusion {
    TapeConclusion(handler: source.name, verdict: .unjudged, reason: reason)
  }
}
