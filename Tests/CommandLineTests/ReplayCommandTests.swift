import Foundation
import Testing

/// `replay` and its answers: exit status, formats, bad input.
@Suite struct ReplayCommandTests {
  static let recordings = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "recordings").path
  static let tailChain = recordings + "/x86_64/6.18.44/tail-chain.tape"
  static let longjmp = recordings + "/x86_64/6.18.44/longjmp-then-older-frame-returns.tape"

  @Test func `a match exits with 0`() throws {
    let outcome = try Tool.run("replay", Self.tailChain)
    #expect(outcome.status == 0)
    #expect(outcome.output.contains("match: 10 hits (5 entries, 5 returns)"))
  }

  @Test func `a divergence exits with 1 and says hit, class, rule and surroundings`() throws {
    let outcome = try Tool.run("replay", "--handler", "model:4.2", Self.longjmp)
    #expect(outcome.status == 1)
    #expect(outcome.output.contains("hit 5, thread"))
    #expect(outcome.output.contains("wrongReturn"))
    #expect(outcome.output.contains("find_next_ret_chain"))
    #expect(outcome.output.contains("-> p_e"))
  }

  @Test func `a tape that cannot be judged exits with 125, or 4 for kselftest`() throws {
    try Scratch.withFolder { folder in
      let cut = folder + "/cut.tape"
      let bytes = try Data(contentsOf: URL(filePath: Self.tailChain))
      try bytes.prefix(bytes.count - 10).write(to: URL(filePath: cut))
      let outcome = try Tool.run("replay", cut)
      #expect(outcome.status == 125)
      #expect(outcome.output.contains("unjudged: 10 hits"))
      #expect(try Tool.run("replay", "--exit-code", "kselftest", cut).status == 4)
    }
  }

  @Test(arguments: ["no-such.tape", "/dev/null", "/etc/passwd"])
  func `what is no tape exits with 125 and a reason`(path: String) throws {
    let outcome = try Tool.run("replay", path)
    #expect(outcome.status == 125)
    #expect(outcome.output.hasPrefix("\(path): unjudged: "))
    #expect(outcome.output.count > path.count + 20)
  }

  @Test func `a folder without tapes is wrong usage`() throws {
    try Scratch.withFolder { folder in
      let outcome = try Tool.run("replay", folder)
      #expect(outcome.status == 64)
      #expect(outcome.errors.contains("has no .tape files"))
    }
  }

  @Test func `an unknown handler is wrong usage and names the right forms`() throws {
    let outcome = try Tool.run("replay", "--handler", "modell", Self.tailChain)
    #expect(outcome.status == 64)
    #expect(outcome.errors.contains("model:6.1"))
  }

  @Test func `the JSON has the promised fields`() throws {
    let outcome = try Tool.run("replay", "--format", "json", Self.tailChain)
    let report = try #require(
      try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    #expect(report["verdict"] as? String == "match")
    let tape = try #require((report["tapes"] as? [[String: Any]])?.first)
    #expect(tape["hits"] as? Int == 10)
    #expect(tape["entries"] as? Int == 5)
    #expect(tape["returns"] as? Int == 5)
    #expect(tape["returnsExpected"] as? Int == 5)
    #expect(tape["lost"] as? Int == 0)
    #expect(tape["handler"] as? String == "model")
    #expect((tape["digest"] as? String)?.count == 16)
    #expect((tape["divergences"] as? [Any])?.isEmpty == true)
  }

  @Test func `the JSON of a divergence has hit, thread, class, expected, actual and rule`() throws {
    let outcome = try Tool.run(
      "replay", "--format", "json", "--handler", "model:4.2", Self.longjmp)
    let report = try #require(
      try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    #expect(report["verdict"] as? String == "diverged")
    let tape = try #require((report["tapes"] as? [[String: Any]])?.first)
    let divergence = try #require((tape["divergences"] as? [[String: Any]])?.first)
    #expect(divergence["hit"] as? Int == 5)
    #expect(divergence["class"] as? String == "wrongReturn")
    let promised: Set = ["hit", "thread", "class", "expected", "actual", "rule"]
    #expect(Set(divergence.keys) == promised.union(["explanation"]))
    let explanation = try #require(divergence["explanation"] as? [String: Any])
    #expect((explanation["sentence"] as? String)?.contains("p_outer, pushed at hit 1") == true)
    #expect((explanation["calls"] as? [Any])?.isEmpty == false)
  }

  @Test func `KTAP has a plan and a line for each tape`() throws {
    let outcome = try Tool.run("replay", "--format", "ktap", Self.tailChain, "no-such.tape")
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.first == "KTAP version 1")
    #expect(lines.dropFirst().first == "1..2")
    #expect(lines.contains { $0 == "ok 1 \(Self.tailChain)" })
    #expect(lines.contains { $0.hasPrefix("ok 2 no-such.tape # SKIP ") })
  }

  @Test func `JUnit counts tests, failures and skips`() throws {
    let outcome = try Tool.run(
      "replay", "--format", "junit", "--handler", "model:4.2", Self.longjmp, "no-such.tape")
    #expect(outcome.output.contains("tests=\"2\" failures=\"1\" skipped=\"1\""))
    #expect(outcome.output.contains("<failure type=\"wrongReturn\""))
  }

  @Test func `any number of jobs gives the same report`() throws {
    let one = try Tool.run("replay", "--format", "json", "-j", "1", Self.recordings)
    let four = try Tool.run("replay", "--format", "json", "-j", "4", Self.recordings)
    #expect(one.status == 0)
    #expect(one.output == four.output)
  }

  // Whoever decodes first in a process must not be seen by the others.
  @Test func `jobs that begin with the same instructions agree`() throws {
    let tape = Self.recordings + "/x86_64/6.18.44/instruction-stepped.tape"
    for _ in 0..<20 {
      let outcome = try Tool.run(
        "replay", "-j", "8", tape, tape, tape, tape, tape, tape, tape, tape)
      #expect(outcome.status == 0, "\(outcome.output)")
    }
  }

  @Test func `a reader that goes away does not end show with an error`() throws {
    let outcome = try Tool.shell(
      "$TOOL show '\(Self.recordings)/x86_64/6.18.44/sqlite3-malloc-free.tape' | head -n 3; "
        + "echo ${PIPESTATUS[0]}")
    #expect(outcome.errors == "")
    #expect(outcome.output.hasSuffix("\n0\n"))
  }
}
