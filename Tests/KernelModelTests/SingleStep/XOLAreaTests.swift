import ProbeEvents
import Testing

@testable import KernelModel

@Suite("XOL area")
struct XOLAreaTests {
  @Test(
    "slots are taken from the first free one on, never the trampoline's",
    arguments: [
      (Architecture.x86_64, UInt64(128), 32), (.aarch64, 4, 1024),
    ])
  func slots(architecture: Architecture, bytes: UInt64, count: Int) {
    let rules = UprobeRules(epoch: .e7, architecture: architecture)
    #expect(rules.slotBytes == bytes)
    var area = XOLArea(address: 0x10_0000, slotBytes: bytes)
    #expect(area.trampoline == 0x10_0000)
    #expect(area.takenCount == 1)
    for number in 1..<UInt64(count) { #expect(area.takeSlot() == 0x10_0000 + number * bytes) }
    #expect(area.takenCount == count)
    #expect(area.takeSlot() == nil)
    // Any address of a slot frees it.
    area.freeSlot(at: 0x10_0000 + 5 * bytes + bytes - 1)
    area.freeSlot(at: 0x10_0000 + 3 * bytes)
    #expect(area.takeSlot() == 0x10_0000 + 3 * bytes)
    #expect(area.takeSlot() == 0x10_0000 + 5 * bytes)
    #expect(area.takeSlot() == nil)
  }

  @Test("addresses outside and the trampoline's slot free nothing")
  func strayAddresses() {
    var area = XOLArea(address: 0x10_0000, slotBytes: 128)
    _ = area.takeSlot()
    for address in [0, 0xf_ffff, 0x10_0000, 0x10_007f, 0x10_1000, .max] as [UInt64] {
      area.freeSlot(at: address)
      #expect(area.takenCount == 2)
    }
    area.freeSlot(at: 0x10_0080)
    #expect(area.takenCount == 1)
  }

  @Test("what is left of the page behind the last slot is none")
  func rest() {
    var area = XOLArea(address: 0x10_0000, slotBytes: 3)
    while area.takeSlot() != nil {}
    area.freeSlot(at: 0x10_0000 + 4095)
    #expect(area.takenCount == 1365)
  }

  @Test("slots of any size make an area")
  func sizes() {
    // No smaller than a byte, so that there are no more slots than bytes.
    for bytes in [0, 1] as [UInt64] {
      #expect(XOLArea(address: 0x10_0000, slotBytes: bytes).taken.count == 4096)
    }
    for bytes in [0, 1, 3, 4096, 5000, .max] as [UInt64] {
      var area = XOLArea(address: .max - 100, slotBytes: bytes)
      while let slot = area.takeSlot() { _ = slot }
      #expect(!area.taken.contains(false))
    }
  }
}
