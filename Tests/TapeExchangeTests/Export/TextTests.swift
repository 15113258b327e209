import Foundation
import ProbeEvents
import Replay
import TapeExchange
import TapeFormat
import Testing

/// Exports that are text.
@Suite struct TextTests {
  @Test func `folded stacks count each call on its stack`() throws {
    #expect(
      try ExportedTape.text("tail-chain", to: .folded) == """
        tail-chain;p_caller 1
        tail-chain;p_caller;p_t1 1
        tail-chain;p_caller;p_t1;p_t2 1
        tail-chain;p_caller;p_t1;p_t2;p_t3 1
        tail-chain;p_caller;p_t1;p_t2;p_t3;p_t4 1

        """)
  }

  @Test func `dropped calls are not on the stack of later ones`() throws {
    // Forty rounds: t1 calls t2, which jumps back over both.
    let lines = try ExportedTape.text("longjmp-loop", to: .folded).split(separator: "\n")
    #expect(lines.allSatisfy { $0.split(separator: ";").count <= 4 }, "\(lines)")
    let sum = lines.reduce(0) { $0 + (Int($1.split(separator: " ").last ?? "") ?? 0) }
    var reader = try TapeReader(path: Fixture.recording("longjmp-loop"))
    #expect(sum == (try entries(&reader)))
  }

  @Test func `folded times add up to the time of the outermost calls`() throws {
    let text = try ExportedTape.text("recursion", to: .folded, weight: .time)
    let sum = text.split(separator: "\n").reduce(UInt64(0)) {
      $0 + (UInt64($1.split(separator: " ").last ?? "") ?? 0)
    }
    var reader = try TapeReader(path: Fixture.recording("recursion"))
    var columns = HitColumns()
    var times: [UInt64] = []
    var kinds: [HitKind] = []
    while case .block = try reader.next(into: &columns, selecting: .all) {
      times += columns.times
      kinds += columns.kinds
    }
    // One outermost call at a time: it lasts until as many calls have returned as were entered.
    var expected: UInt64 = 0
    var depth = 0
    var start: UInt64 = 0
    for (kind, time) in zip(kinds, times) {
      if kind == .entry, depth == 0 { start = time }
      depth += kind == .entry ? 1 : -1
      if kind == .return, depth == 0 { expected += time - start }
    }
    #expect(sum == expected)
    #expect(sum > 0)
  }

  @Test func `perf script's text has every hit, and the open calls below it`() throws {
    let text = try ExportedTape.text("tail-chain", to: .perfScript)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let heads = lines.filter { $0.contains(": probetape:") }
    #expect(
      heads.map { String($0.split(separator: " ").dropFirst(4).first ?? "") } == [
        "probetape:p_caller:", "probetape:p_t1:", "probetape:p_t2:", "probetape:p_t3:",
        "probetape:p_t4:", "probetape:p_t4__return:", "probetape:p_t3__return:",
        "probetape:p_t2__return:", "probetape:p_t1__return:", "probetape:p_caller__return:",
      ])
    // Four open calls at the entry of p_t3, newest first.
    let place = try #require(lines.firstIndex { $0.contains("probetape:p_t3:") })
    let frames = lines[(place + 1)...].prefix { !$0.isEmpty }
    #expect(
      frames.map { String($0.split(whereSeparator: \.isWhitespace)[1]) } == [
        "p_t3+0x0", "p_t2+0x0", "p_t1+0x0", "p_caller+0x0",
      ])
  }

  @Test(.enabled(if: ExportedTape.hasPythonModule("gprof2dot")))
  func `gprof2dot reads perf script's text`() throws {
    let text = try ExportedTape.text("tail-chain", to: .perfScript)
    let command = ["python3", "-m", "gprof2dot", "-f", "perf", "-n", "0", "-e", "0"]
    let graph = try #require(try ExportedTape.run(command, input: Array(text.utf8)))
    // An edge for each call into the next.
    #expect(graph.split(separator: "\n").count { $0.contains(" -> ") } == 4)
    for name in ["p_caller", "p_t1", "p_t2", "p_t3"] { #expect(graph.contains(name)) }
    #expect(graph.contains("p_t4"))
  }

  @Test func `JSON has one object for each hit`() throws {
    let lines = try ExportedTape.text("tail-chain", to: .json).split(separator: "\n")
    #expect(lines.count == 10)
    let objects = try lines.map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
    #expect(objects.map { $0["hit"] as? Int } == Array(0..<10))
    #expect(objects.map { $0["kind"] as? String }.prefix(5).allSatisfy { $0 == "entry" })
    #expect(
      objects.map { $0["returnsHit"] as? Int } == [nil, nil, nil, nil, nil, 4, 3, 2, 1, 0])
    #expect(objects[2]["conclusion"] as? String == "chained")
    #expect((objects[0]["registers"] as? [String: String])?.count == 20)
    #expect((objects[0]["stack"] as? [String])?.first?.hasPrefix("0x") == true)
  }

  private func entries(_ reader: inout TapeReader) throws -> Int {
    var columns = HitColumns()
    var count = 0
    while case .block = try reader.next(into: &columns, selecting: .judged) {
      count += columns.kinds.count { $0 == .entry }
    }
    return count
  }
}
