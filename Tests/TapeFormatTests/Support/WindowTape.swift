import ProbeEvents
import TapeFormat

/// Entries with windows of eight words that no prediction gives.
enum WindowTape {
  static func make(hits: Int, seed: UInt64) -> Recording {
    var random = SeededRandom(seed: seed)
    var recording = Recording(header: Recording.header(.x86_64))
    let layout = Architecture.x86_64.registerLayout
    for index in 0..<hits {
      var registers = [UInt64](repeating: 0, count: layout.count)
      registers[layout.stackPointer] = 0x7fff_0000 + 64 * UInt64(index % 8)
      let window = (0..<8).map { _ in
        0x5555_5555_0000 + UInt64.random(in: 0..<0x4_0000, using: &random)
      }
      recording.items.append(
        .hit(HitImage(kind: .entry, time: UInt64(index), registers: registers, window: window)))
    }
    return recording
  }
}
