import Testing

@testable import Recorder

@Suite("breakpoints that the kernel takes away")
struct RemovalWatchTests {
  private static func profile(_ first: Int, _ second: Int) -> UprobeProfile {
    // As `probes_profile_seq_show` prints it; a file's name may hold spaces.
    UprobeProfile(
      """
        /usr/bin/a program p10_1_0                                                   \(first)
        /usr/bin/other p10_1_1                                                       \(second)
        /usr/bin/other somebody_elses                                                999
      """)
  }

  private static let events = [
    RemovalWatch.Event(probeName: "first", name: "group/p10_1_0", tracepoint: 7),
    RemovalWatch.Event(probeName: "second", name: "group/p10_1_1", tracepoint: 8),
  ]

  private func missing(
    calls: (before: (Int, Int), after: (Int, Int)),
    hits: (before: [UInt64: UInt64], after: [UInt64: UInt64])
  ) -> [String] {
    var watch = RemovalWatch(Self.events)
    watch.start(Self.profile(calls.before.0, calls.before.1), hits: hits.before)
    watch.stop(Self.profile(calls.after.0, calls.after.1))
    return watch.missing(hits: hits.after).map { "\($0.probeName) \($0.count)" }
  }

  @Test("as many calls as hits: nothing is missing")
  func complete() {
    #expect(missing(calls: ((0, 5), (100, 25)), hits: ([8: 5], [7: 100, 8: 25])) == [])
  }

  @Test("a call without a hit is a missing hit of its probe")
  func oneMissing() {
    #expect(missing(calls: ((0, 5), (100, 26)), hits: ([8: 5], [7: 100, 8: 25])) == ["second 1"])
    #expect(missing(calls: ((0, 0), (3, 0)), hits: ([:], [:])) == ["first 3"])
  }

  @Test("calls from before the recording, and hits counted after the profile, are no reason")
  func edges() {
    #expect(missing(calls: ((50, 0), (60, 0)), hits: ([7: 45], [7: 57])) == [])
  }

  @Test("without a profile nothing can be said")
  func noProfile() {
    var watch = RemovalWatch(Self.events)
    watch.start(UprobeProfile(""), hits: [:])
    watch.stop(UprobeProfile(""))
    #expect(watch.missing(hits: [7: 1]).isEmpty)
  }
}
