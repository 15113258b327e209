import KernelModel
import ProbeEvents
import Testing

@Suite("Epochs from releases")
struct EpochTests {
  @Test(
    "a mainline or stable release belongs to the epoch of its rules",
    arguments: [
      ("3.10.0", Epoch.e0), ("3.11", .e0), ("3.11.10", .e0), ("3.10.99", .e1), ("3.12", .e1),
      ("3.12.74", .e1), ("3.13.0", .e2), ("4.2.8", .e2), ("4.3", .e3), ("4.4.155", .e3),
      ("4.9.115", .e3), ("4.10.0", .e3), ("4.14.177", .e3), ("4.20.0", .e3), ("5.4.59", .e3),
      ("5.10.262", .e3), ("6.1.192", .e3), ("6.10.14", .e3), ("6.11.11", .e4), ("6.12.0", .e5),
      ("6.12.107", .e5), ("6.13.7", .e6), ("6.14.0", .e7), ("6.17.13", .e7), ("6.18.2", .e8),
      ("6.18.44", .e8), ("6.19.9", .e8), ("7.1.5", .e8), ("7.2.13", .e9), ("7.3.4", .e9),
    ])
  func releases(release: String, epoch: Epoch) {
    #expect(Epoch(release: release) == epoch)
  }

  @Test(
    "what a distribution appends to a release does not matter",
    arguments: [
      ("6.1.0-18-amd64", Epoch.e3), ("6.1.0-0.deb11.7-arm64", .e3), ("4.15.0-213-generic", .e3),
      ("5.14.0-427.13.1.el9_4.x86_64", .e3), ("6.11.4-301.fc41.x86_64", .e4),
      ("6.12.10-arch1-1", .e5), ("6.13-rc3", .e6), ("6.18.0-rc1+", .e8), ("6.14.0+", .e7),
      ("5.15.167.4-microsoft-standard-WSL2", .e3), ("3.13.0-170-generic", .e2),
      ("6.8.0-1012_custom", .e3), ("6.12~rc6", .e5), ("6.1", .e3),
    ])
  func distributions(release: String, epoch: Epoch) {
    #expect(Epoch(release: release) == epoch)
  }

  @Test(
    "a kernel newer than all known ones follows the newest rules", arguments: ["7.9.1", "12.0"])
  func future(release: String) {
    #expect(Epoch(release: release) == .e9)
  }

  @Test(
    "kernels without return probes and text that is no release have no epoch",
    arguments: [
      "3.9.11", "2.6.32-754.el6.x86_64", "", "6", "6.", ".1", "6..1", "-6.1", " 6.1", "v6.1", "six",
      "6.x", "6.1x", "6,1", "99999999999999999999.1", "6.99999999999999999999", "\u{0}", "٦.١",
    ])
  func nonsense(release: String) {
    #expect(Epoch(release: release) == nil)
  }

  @Test("epochs are named and ordered by time")
  func order() {
    #expect(Epoch.allCases.map(\.name) == (0...9).map { "E\($0)" })
    #expect(Epoch.allCases == Epoch.allCases.sorted())
  }

  @Test("the first and the last kernel of an epoch's name belong to it", arguments: Epoch.allCases)
  func kernels(epoch: Epoch) {
    for kernel in epoch.kernels.split(separator: " - ") {
      #expect(Epoch(release: String(kernel)) == epoch)
    }
  }
}
