import Benchmark
import ProbeEvents
import Replay
import TapeFormat

/// Hits in a second of wall clock time: what all these benchmarks count.
let hitsPerSecond = BenchmarkMetric.custom(
  "Hits per second", polarity: .prefersLarger, useScalingFactor: false)

let benchmarks: @Sendable () -> Void = {
  Benchmark.defaultConfiguration = .init(
    metrics: [hitsPerSecond, .wallClock, .peakMemoryResident], warmupIterations: 1,
    maxDuration: .seconds(10), maxIterations: 20)

  Benchmark("replay synth 1M") { benchmark in
    try measure(benchmark) { try replay(.synthetic) }
  }

  Benchmark("replay malloc-free") { benchmark in
    // A recording of the repository is short: many replays make one measurement.
    try measure(benchmark, rounds: 100) { try replay(.mallocFree) }
  }

  Benchmark("decode judged") { benchmark in
    try measure(benchmark) { try decode(.synthetic, .judged) }
  }

  Benchmark("decode all") { benchmark in
    try measure(benchmark) { try decode(.synthetic, .all) }
  }

  Benchmark("encode") { benchmark in
    // Making up the hits is not what is measured, so they are decoded before.
    let hits = try DecodedHits(.synthetic)
    try measure(benchmark) { try hits.encode() }
  }
}

/// Runs `body`, which returns how many hits it dealt with, as one measurement.
private func measure(
  _ benchmark: Benchmark, rounds: Int = 1, _ body: () throws -> Int
) throws {
  let clock = ContinuousClock()
  var hits = 0
  benchmark.startMeasurement()
  let duration = try clock.measure {
    for _ in 0..<rounds { hits += try body() }
  }
  benchmark.stopMeasurement()
  benchmark.measurement(hitsPerSecond, Int(Double(hits) / (duration / .seconds(1))))
}

private func replay(_ tape: BenchmarkTape) throws -> Int {
  var reader = try tape.open()
  let conclusion = try TapeReplay.replay(&reader, handler: .modelOfTape)
  guard conclusion.verdict == .match else { throw BenchmarkTapeError.noMatch }
  return Int(conclusion.hits)
}

private func decode(_ tape: BenchmarkTape, _ columns: TapeColumns) throws -> Int {
  var reader = try tape.open()
  var hits = HitColumns()
  var count = 0
  while true {
    switch try reader.next(into: &hits, selecting: columns) {
    case .block: count += hits.count
    case .damage: throw BenchmarkTapeError.damaged
    case .trailer, .end: return count
    }
  }
}
