import KernelModel
import ProbeEvents
import ProbetapeTesting
import Replay
import TapeFormat
import Testing

@Suite struct BatchTests {
  @Test(arguments: [Architecture.x86_64, .aarch64])
  func `synthetic tapes match on both architectures`(architecture: Architecture) throws {
    let conclusion = try replay(try synthetic(seed: 7, hits: 30_000, architecture))
    #expect(conclusion.divergences == [])
    #expect(conclusion.verdict == .match)
    #expect(conclusion.hits == 30_000)
    #expect(conclusion.evidence.returns > 10_000)
  }

  @Test func `the same seed gives the same tape and another seed another`() throws {
    let first = try synthetic(seed: 1, hits: 2_000, .x86_64)
    #expect(try synthetic(seed: 1, hits: 2_000, .x86_64) == first)
    #expect(try synthetic(seed: 2, hits: 2_000, .x86_64) != first)
  }

  @Test func `the digest depends on tape and handler only`() throws {
    let bytes = try synthetic(seed: 3, hits: 5_000, .x86_64)
    let digest = try replay(bytes).digest
    #expect(try replay(bytes).digest == digest)
    #expect(try replay(try synthetic(seed: 4, hits: 5_000, .x86_64)).digest != digest)
    let old = try replay(bytes, handler: .model(.e1, name: "model:E1"))
    #expect(old.digest != digest)
  }

  @Test func `any number of jobs gives the same results`() throws {
    let paths = ["no-such-file-1.tape", "no-such-file-2.tape"]
    let one = TapeBatch.replay(paths: paths, handlers: [.modelOfTape], jobs: 1)
    let four = TapeBatch.replay(paths: paths, handlers: [.modelOfTape], jobs: 4)
    #expect(one.map(\.path) == paths)
    #expect(four.map(\.path) == paths)
    #expect(one.map(\.verdict) == [.unjudged, .unjudged])
  }

  @Test func `combined verdicts: one divergence decides, then one unjudged tape`() {
    #expect(Verdict.combined([.match, .unjudged, .diverged]) == .diverged)
    #expect(Verdict.combined([.match, .unjudged]) == .unjudged)
    #expect(Verdict.combined([.match, .match]) == .match)
    #expect(Verdict.combined([]) == .match)
  }

  private func synthetic(
    seed: UInt64, hits: UInt64, _ architecture: Architecture
  ) throws -> [UInt8] {
    let output = MemoryTapeOutput()
    var tape = SyntheticTape(
      SyntheticTape.Parameters(seed: seed, hits: hits, architecture: architecture))
    var writer = try TapeWriter(header: tape.header, output: output)
    try tape.write(to: &writer)
    return output.bytes
  }
}
