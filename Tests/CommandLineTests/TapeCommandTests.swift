import Foundation
import Testing

/// `synth`, `stat`, `show` and `matrix`.
@Suite struct TapeCommandTests {
  @Test func `a link to a tape is that tape, a link to a directory that directory`() throws {
    try Scratch.withFolder { folder in
      let tape = folder + "/tapes/a.tape"
      let files = FileManager.default
      try files.createDirectory(atPath: folder + "/tapes", withIntermediateDirectories: false)
      #expect(
        try Tool.run("synth", "--seed", "5", "--hits", "2000", "-o", tape).status == 0)
      let before = try Data(contentsOf: URL(filePath: tape))
      try files.createSymbolicLink(atPath: folder + "/file", withDestinationPath: tape)
      try files.createSymbolicLink(
        atPath: folder + "/folder", withDestinationPath: folder + "/tapes")
      let refused = try Tool.run("repair", tape, "-o", folder + "/file")
      #expect(refused.status == 64)
      #expect(try Data(contentsOf: URL(filePath: tape)) == before)
      let replayed = try Tool.run("replay", folder + "/folder")
      #expect(replayed.status == 0)
      #expect(replayed.output.contains("/folder/a.tape: match: 2000 hits"))
    }
  }

  @Test func `synth makes the same tape from the same seed, and it replays to a match`() throws {
    try Scratch.withFolder { folder in
      for name in ["a", "b"] {
        let made = try Tool.run(
          "synth", "--seed", "5", "--hits", "2000", "-o", "\(folder)/\(name).tape")
        #expect(made.status == 0)
      }
      let first = try Data(contentsOf: URL(filePath: folder + "/a.tape"))
      #expect(try Data(contentsOf: URL(filePath: folder + "/b.tape")) == first)
      let replayed = try Tool.run("replay", folder)
      #expect(replayed.status == 0)
      #expect(replayed.output.contains("2 tapes: 2 match, 0 diverged, 0 unjudged"))
    }
  }

  @Test func `a full disk is said and ends synth with 1`() throws {
    let outcome = try Tool.run("synth", "--seed", "1", "--hits", "100000", "-o", "/dev/full")
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("/dev/full"))
  }

  @Test func `matrix lists what differs between epochs outside return instances`() throws {
    let outcome = try Tool.run("matrix", "--rules")
    #expect(outcome.status == 0)
    let lines = outcome.output.split(separator: "\n").map(String.init)
    let emulation = try #require(lines.first { $0.contains(" emulation ") })
    #expect(emulation.contains("E0-E1 plainNop, E2 branches, E3-E7 pushes, E8-E9 recognisedNops"))
    #expect(lines.contains("# x86_64") && lines.contains("# aarch64"))
    let json = try Tool.run("matrix", "--rules", "--json")
    let rows = try #require(
      try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [[String: Any]])
    let kprobes = rows.filter { ($0["room"] as? String)?.hasPrefix("Kprobes/") == true }
    // A cell for each of the epochs, E0 to E9 and K0 to K15.
    #expect(rows.allSatisfy { [10, 16].contains(($0["epochs"] as? [Any])?.count) })
    #expect(kprobes.count > 20 && rows.count > kprobes.count)
    #expect(try Tool.run("matrix").status == 64)
    #expect(try Tool.run("matrix", "--rules", ReplayCommandTests.tailChain).status == 64)
  }

  @Test func `stat has the promised fields`() throws {
    let outcome = try Tool.run("stat", "--json", ReplayCommandTests.tailChain)
    #expect(outcome.status == 0)
    let report = try #require(
      try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    let promised = [
      "hits", "entries", "returns", "lost", "threads", "processes", "probes", "bytes",
      "bytesPerHit", "kernel", "architecture", "complete",
    ]
    #expect(promised.allSatisfy { report[$0] != nil })
    #expect(report["hits"] as? Int == 10)
    #expect(report["complete"] as? Bool == true)
  }

  @Test func `stat of a cut tape says incomplete and keeps the hits`() throws {
    try Scratch.withFolder { folder in
      let cut = folder + "/cut.tape"
      let bytes = try Data(contentsOf: URL(filePath: ReplayCommandTests.tailChain))
      try bytes.prefix(bytes.count - 10).write(to: URL(filePath: cut))
      let outcome = try Tool.run("stat", cut)
      #expect(outcome.output.contains("incomplete"))
      #expect(outcome.output.contains("hits      10 "))
    }
  }

  @Test func `show has a line for each hit with the conclusion beside it`() throws {
    let outcome = try Tool.run("show", ReplayCommandTests.tailChain)
    #expect(outcome.status == 0)
    let hits = outcome.output.split(separator: "\n").filter { $0.first?.isNumber == true }
    #expect(hits.count == 10)
    #expect(hits[2].contains("from trampoline"))
    #expect(hits[2].hasSuffix("| chained, depth 3"))
    let json = try Tool.run("show", "--json", ReplayCommandTests.tailChain)
    #expect(json.output.split(separator: "\n").count == 10)
  }

  @Test func `matrix tells the kernels without liveness test from those with one`() throws {
    let outcome = try Tool.run("matrix", "--json", ReplayCommandTests.longjmp)
    #expect(outcome.status == 0)
    let rows = try #require(
      try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: Any]])
    let cells = try #require(rows.first?["epochs"] as? [[String: Any]])
    let verdicts = cells.map { $0["verdict"] as? String }
    // Return-instance liveness came with 4.3, epoch E3.
    #expect(verdicts.prefix(3) == ["diverged", "diverged", "diverged"])
    #expect(verdicts.dropFirst(3).allSatisfy { $0 == "match" })
  }
}
