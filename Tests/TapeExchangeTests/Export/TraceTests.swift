import Foundation
import ProbeEvents
import ProbetapeTesting
import Replay
import TapeExchange
import TapeFormat
import Testing

/// Chrome and Perfetto traces of recordings whose events are known from watching the kernel
/// (the programs' head comments).
@Suite struct TraceTests {
  struct Event: Decodable {
    struct Arguments: Decodable {
      var name: String?
      var end: String?
      var hit: UInt64?
    }
    var ph: String
    var name: String
    var cat: String?
    var ts: Double?
    var pid: Int
    var tid: Int
    var args: Arguments?
  }

  struct Trace: Decodable {
    struct Other: Decodable {
      var verdict: String
    }
    var traceEvents: [Event]
    var otherData: Other
  }

  private func chrome(
    _ recording: String, handler: HandlerChoice = .modelOfTape
  ) throws -> Trace {
    let text = try ExportedTape.text(recording, to: .chrome, handler: handler)
    return try JSONDecoder().decode(Trace.self, from: Data(text.utf8))
  }

  /// Begins and ends nest in every thread, and each end has the name of its begin.
  private func expectNesting(_ events: [Event]) {
    var open: [Int: [Event]] = [:]
    for event in events {
      if event.ph == "B" { open[event.tid, default: []].append(event) }
      if event.ph == "E" {
        let begin = open[event.tid]?.popLast()
        #expect(begin?.name == event.name)
        #expect((begin?.ts ?? 0) <= (event.ts ?? 0))
      }
    }
    #expect(open.values.allSatisfy { $0.isEmpty })
  }

  @Test func `calls are slices from entry to return`() throws {
    let trace = try chrome("tail-chain")
    let slices = trace.traceEvents.filter { $0.ph == "B" || $0.ph == "E" }
    #expect(
      slices.map { $0.ph + " " + $0.name } == [
        "B p_caller", "B p_t1", "B p_t2", "B p_t3", "B p_t4", "E p_t4", "E p_t3", "E p_t2",
        "E p_t1", "E p_caller",
      ])
    expectNesting(trace.traceEvents)
    #expect(trace.otherData.verdict == "match")
    #expect(slices.allSatisfy { $0.ph == "B" || $0.args?.end == "returned" })
    #expect(trace.traceEvents.contains { $0.ph == "M" && $0.args?.name == "tail-chain" })
  }

  @Test func `calls left by a longjmp end where the kernel drops them`() throws {
    let trace = try chrome("longjmp-then-older-frame-returns")
    let marks = trace.traceEvents.filter { $0.ph == "i" }.map(\.name)
    #expect(marks == ["dropped: p_e", "dropped: p_d", "dropped: p_c"])
    let dropped = trace.traceEvents.filter { $0.ph == "E" && $0.args?.end == "dropped" }
    #expect(dropped.map(\.name) == ["p_e", "p_d", "p_c"])
    // Hit 5 is the return of p_outer.
    #expect(trace.traceEvents.filter { $0.ph == "i" }.allSatisfy { $0.args?.hit == 5 })
    expectNesting(trace.traceEvents)
  }

  @Test func `calls without instance at the depth limit are marked`() throws {
    let trace = try chrome("recursion-70")
    #expect(trace.traceEvents.count { $0.ph == "B" } == 64)
    #expect(trace.traceEvents.count { $0.name.hasPrefix("no return instance") } == 6)
    expectNesting(trace.traceEvents)
  }

  @Test func `divergences are marked`() throws {
    let old = try #require(HandlerChoice("model:4.2"))
    let trace = try chrome("longjmp-then-older-frame-returns", handler: old)
    #expect(trace.traceEvents.map(\.name).contains("diverged: wrongReturn"))
    #expect(trace.otherData.verdict == "diverged")
    expectNesting(trace.traceEvents)
  }

  @Test(arguments: [
    "fork-inside", "threads", "exec-inside", "coroutines-sigill", "churn", "vfork-inside",
  ])
  func `slices nest whatever the tasks do`(recording: String) throws {
    let trace = try chrome(recording)
    #expect(trace.traceEvents.contains { $0.ph == "B" })
    expectNesting(trace.traceEvents)
  }

  @Test(arguments: ["tail-chain", "longjmp-then-older-frame-returns", "recursion-70", "threads"])
  func `Perfetto's form says the same as Chrome's`(recording: String) throws {
    let reader = try TapeReader(path: Fixture.recording(recording))
    let packets = try PerfettoPacket.parse(try ExportedTape.bytes(reader, to: .perfetto))
    let kinds: [UInt64: String] = [1: "B", 2: "E", 3: "i"]
    var names: [UInt64: [String]] = [:]
    var perfetto: [String] = []
    for packet in packets {
      guard let type = packet.type, let track = packet.track, let time = packet.time else {
        #expect(packet.describedTrack != nil)
        continue
      }
      #expect(packets.contains { $0.describedTrack == track && $0.threadName != nil })
      // An end has no name of its own.
      if type == 1 { names[track, default: []].append(packet.name ?? "?") }
      let name = type == 2 ? names[track]?.popLast() : packet.name
      perfetto.append("\(kinds[type] ?? "?") \(name ?? "?") \(time)")
    }
    let chrome = try chrome(recording).traceEvents.filter { $0.ph != "M" }.map {
      "\($0.ph) \($0.name) \(UInt64((($0.ts ?? 0) * 1000).rounded()))"
    }
    #expect(perfetto == chrome)
    #expect(!perfetto.isEmpty)
  }

  @Test(
    .enabled(if: ExportedTape.hasPythonModule("perfetto.protos.perfetto.trace.perfetto_trace_pb2")))
  func `Perfetto's own schema accepts the trace`() throws {
    let reader = try TapeReader(path: Fixture.recording("recursion-70"))
    let trace = try ExportedTape.bytes(reader, to: .perfetto)
    let script = """
      import sys
      from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace, TrackEvent
      data = sys.stdin.buffer.read()
      trace = Trace.FromString(data)
      assert sum(1 for p in trace.packet) > 100
      events = [p.track_event for p in trace.packet if p.HasField("track_event")]
      tracks = {p.track_descriptor.uuid for p in trace.packet if p.HasField("track_descriptor")}
      assert all(e.track_uuid in tracks for e in events)
      print(sum(e.type == TrackEvent.TYPE_SLICE_BEGIN for e in events),
            sum(e.type == TrackEvent.TYPE_SLICE_END for e in events),
            sum(e.type == TrackEvent.TYPE_INSTANT and e.name.startswith("no return instance") for e in events))
      """
    let answer = try ExportedTape.run(["python3", "-c", script], input: trace)
    #expect(answer == "64 64 6\n")
  }

  @Test func `names from a tape cannot break JSON`() throws {
    let name = "a\"\\\n\u{1}é;b c"
    var tape = try TapeBuilder(functions: [name])
    try tape.enter(name, sp: 0x7000, returnAddress: 0x40_0010)
    try tape.leave(name, sp: 0x7008, to: 0x40_0010)
    let bytes = try tape.finish()
    for format in [ExportFormat.chrome, .json, .perfScript, .folded] {
      let text = String(
        decoding: try ExportedTape.bytes(try TapeReader(bytes: bytes), to: format), as: UTF8.self)
      switch format {
      case .chrome: _ = try JSONDecoder().decode(Trace.self, from: Data(text.utf8))
      case .json:
        #expect(text.split(separator: "\n").count == 2)
        for line in text.split(separator: "\n") {
          let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
          #expect(object?["probe"] as? String == name)
        }
      case .folded: #expect(text == "program;a\"\\??é:b_c 1\n")
      case .perfScript:
        #expect(ObservedHit.parse(text).isEmpty && text.split(separator: "\n").count == 3)
      case .perfetto: break
      }
    }
  }
}
