import Glibc
import KernelModel
import ProbeEvents
import ProbetapeTesting
import Reduction
import Replay
import TapeFormat
import Testing

/// Reduces tapes that are in memory, and takes tapes apart.
enum ReductionFixture {
  static let e2 = HandlerChoice.model(.e2, name: "model:4.2")
  static let step = TapeDerivation(command: "reduce", source: "test.tape", digest: [1])

  static func reduce(
    _ bytes: [UInt8], _ handler: HandlerChoice, jobs: Int = 1, batch: Int = 1,
    isStopped: @escaping () -> Bool = { false }
  ) throws -> ReducedTape {
    try reduce(
      bytes, jobs: jobs, batch: batch, judge: Reducer.judge(handler, jobs: jobs),
      isStopped: isStopped)
  }

  static func reduce(
    _ bytes: [UInt8], jobs: Int = 1, batch: Int = 1, judge: @escaping Reducer.Judge,
    isStopped: @escaping () -> Bool = { false }
  ) throws -> ReducedTape {
    let file = try TemporaryTape(bytes)
    let conclusion = try #require(try judge([bytes]).first)
    let reducer = Reducer(
      path: file.path, jobs: jobs, batch: batch, judge: judge, isStopped: isStopped)
    return try reducer.reduce(conclusion, step: step)
  }

  static func replay(_ bytes: [UInt8], _ handler: HandlerChoice) throws -> TapeConclusion {
    var reader = try TapeReader(bytes: bytes)
    return try TapeReplay.replay(&reader, handler: handler)
  }

  /// The names of a tape's hits, returns with a `<`.
  static func hits(_ bytes: [UInt8]) throws -> [String] {
    var names: [String] = []
    var reader = try TapeReader(bytes: bytes)
    let probes = reader.header.probes
    var columns = HitColumns()
    while case .block = try reader.next(into: &columns, selecting: .judged) {
      for index in 0..<columns.count {
        let name = probes[Int(columns.probes[index])].displayName
        names.append((columns.kinds[index] == .return ? "<" : "") + name)
      }
    }
    return names
  }

  /// The tape without some of its hits.
  static func without(_ left: Set<Int>, _ bytes: [UInt8]) throws -> [UInt8] {
    var reader = try TapeReader(bytes: bytes)
    let output = MemoryTapeOutput()
    var writer = try TapeWriter(header: reader.header, output: output)
    let width = reader.header.kernel.architecture.registerLayout.count
    var columns = HitColumns()
    var number = 0
    while true {
      switch try reader.next(into: &columns, selecting: .all) {
      case .block:
        for index in 0...columns.count {
          for side in columns.sideEvents where side.beforeHit == index {
            try writer.append(side.event)
          }
          guard index < columns.count else { break }
          let range = Int(columns.windowStarts[index])..<Int(columns.windowStarts[index + 1])
          if !left.contains(number) {
            try writer.append(
              columns.hit(index, width: width), window: columns.windowWords.span.extracting(range))
          }
          number += 1
        }
      case .trailer(var trailer):
        trailer.entries = writer.entries
        trailer.returns = writer.returns
        try writer.finish(trailer)
      case .damage, .end: return output.bytes
      }
    }
  }
}

/// A tape in a file that vanishes with this.
final class TemporaryTape {
  let path: String

  init(_ bytes: [UInt8]) throws {
    path = "/tmp/probetape-reduction-test-\(UInt64.random(in: 0...(.max))).tape"
    try FileTapeOutput(path: path).write(bytes)
  }

  deinit {
    _ = unsafe unlink(path)
  }
}
