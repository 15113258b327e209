import Testing

@testable import Recorder

extension LiveTests {
  @Suite("doctor")
  struct DoctorTests {
    @Test("on a host that can record no check says no, and the live probe has all its hits")
    func healthy() throws {
      let findings = Doctor.examine()
      #expect(findings.filter { $0.verdict == .no } == [])
      let live = try #require(findings.last)
      #expect(live.verdict == .yes)
      #expect(live.seen == "3 calls of our own gave 3 entries, 3 returns")
      #expect(Set(findings.map(\.name)).count == findings.count)
      #expect(try LiveTests.dynamicEvents() == [])
    }

    @Test("without privilege the checks name what is missing and what to run")
    func unprivileged() {
      let nobody = Privileges(status: "CapEff:\t0000000000000000", userMap: "")
      let finding = Doctor.privilege(nobody)
      #expect(finding.verdict == .no)
      #expect(finding.remedy.contains("sudo"))
    }
  }
}
