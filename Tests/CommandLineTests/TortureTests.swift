import Foundation
import Testing

/// A fixed handful of the seeds that `tools/torture` acts out; run the tool itself for more.
@Suite(.serialized, .enabled(if: RecordCommandTests.canRecord, RecordCommandTests.why))
struct TortureTests {
  private static let torture = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "tools/torture").path

  private func torture(_ options: String) throws -> Tool.Outcome {
    try Scratch.withFolder { folder in
      try Tool.shell("'\(Self.torture)' --probetape \"$TOOL\" --keep '\(folder)' \(options)")
    }
  }

  // One of each: two recorders, one that joins, threads, coroutines, exceptions, forks.
  @Test func `what the kernel made of the seeds is what the model says`() throws {
    let outcome = try torture("--seeds 13-19")
    #expect(outcome.status == 0, "\(outcome.output)")
    #expect(outcome.output.contains("7 seeds"))
    #expect(outcome.output.contains(" 0 diverged, 0 unjudged"))
  }

  // 4.2 did not know yet that calls can be left by a jump.
  @Test func `a model that is wrong is found, and the seed is named`() throws {
    let outcome = try torture("--seeds 1-3 --handler model:4.2")
    #expect(outcome.status == 1)
    #expect(outcome.output.contains("repeat with tools/torture --seed"))
  }
}
