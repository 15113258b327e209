import Foundation
import ProbeEvents
import ProbetapeTesting
import TapeFormat

/// Why a benchmark cannot use its tape.
enum BenchmarkTapeError: Error {
  case noMatch
  case damaged
}

/// A tape to replay or decode, opened anew for every measurement.
enum BenchmarkTape {
  case inMemory([UInt8])
  case file(String)

  func open() throws(TapeError) -> TapeReader {
    switch self {
    case .inMemory(let bytes): try TapeReader(bytes: bytes)
    case .file(let path): try TapeReader(path: path)
    }
  }

  /// A million synthetic hits.
  static let synthetic = BenchmarkTape.inMemory(synthesize(seed: 1, hits: 1_000_000))

  /// malloc and free, as recorded on a live kernel: of sqlite3, or a longer tape that
  /// `PROBETAPE_MALLOC_TAPE` names.
  static let mallocFree: BenchmarkTape = {
    if let path = ProcessInfo.processInfo.environment["PROBETAPE_MALLOC_TAPE"] {
      return .file(path)
    }
    // From Benchmarks/Benchmarks/ReplayBenchmarks/Tapes.swift to the top of the repository.
    let top = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(4)
    return .file(top.joined(separator: "/") + "/recordings/x86_64/6.18.44/sqlite3-malloc-free.tape")
  }()
}

private func synthesize(seed: UInt64, hits: UInt64) -> [UInt8] {
  let output = MemoryTapeOutput()
  var synthetic = SyntheticTape(SyntheticTape.Parameters(seed: seed, hits: hits))
  do throws(TapeError) {
    var writer = try TapeWriter(header: synthetic.header, output: output)
    try synthetic.write(to: &writer)
  } catch {
    preconditionFailure("memory takes every tape: \(error)")
  }
  return output.bytes
}

/// The hits of a tape, ready to be written again.
struct DecodedHits {
  private let header: TapeHeader
  private var hits: [Hit] = []
  private var words: [UInt64] = []
  private var starts: [Int] = [0]

  init(_ tape: BenchmarkTape) throws {
    var reader = try tape.open()
    header = reader.header
    let layout = header.kernel.architecture.registerLayout
    var columns = HitColumns()
    while case .block = try reader.next(into: &columns, selecting: .all) {
      for index in 0..<columns.count { append(columns, index, layout) }
    }
  }

  private mutating func append(_ columns: HitColumns, _ index: Int, _ layout: RegisterLayout) {
    var registers = RegisterFile()
    for column in 0..<layout.count {
      registers[column] = columns.registers[index * layout.count + column]
    }
    hits.append(
      Hit(
        kind: columns.kinds[index], flags: columns.flags[index], cpu: columns.cpus[index],
        probe: columns.probes[index], thread: columns.threadTable[Int(columns.threads[index])],
        time: columns.times[index], function: columns.functions[index], registers: registers))
    words +=
      columns.windowWords[
        Int(columns.windowStarts[index])..<Int(columns.windowStarts[index + 1])]
    starts.append(words.count)
  }

  /// Writes them into memory and returns how many there are.
  func encode() throws -> Int {
    var writer = try TapeWriter(header: header, output: MemoryTapeOutput())
    for index in hits.indices {
      let window = words.span.extracting(starts[index]..<starts[index + 1])
      try writer.append(hits[index], window: window)
    }
    try writer.flush()
    return hits.count
  }
}
