import CElf
import Glibc

/// A tracepoint that the program's author put there (USDT): a nop, described by a note.
struct ELFTracepoint: Sendable, Hashable {
  /// Who it belongs to.
  let provider: String
  /// Its name; several places may have the same.
  let name: String
  /// Virtual address of the nop.
  let address: UInt64
  /// Virtual address of the reference counter that tells the program whether somebody watches; 0 for
  /// none.
  let semaphore: UInt64

  /// The name as users write it.
  var displayName: String { provider + ":" + name }
}

extension ELFFile {
  /// The tracepoints that `.note.stapsdt` describes, in its order; damaged notes are left out.
  func tracepoints() -> [ELFTracepoint] {
    guard
      let section = sections.first(where: {
        $0.name == ".note.stapsdt" && $0.header.sh_type == UInt32(SHT_NOTE)
      }),
      section.header.sh_size <= Self.tracepointsLimit, let bytes = handle.bytes(of: section.header)
    else { return [] }
    // What was moved after linking has left the note behind, with the base's old address in it.
    let base = sections.first { $0.name == ".stapsdt.base" }?.header.sh_addr
    return ELFNote.notes(in: bytes).filter { $0.owner == "stapsdt" && $0.type == 3 }
      .compactMap { Self.tracepoint($0.content, base: base) }
  }

  /// Large programs have some thousands, of about 100 bytes each.
  private static let tracepointsLimit: UInt64 = 1 << 24

  /// Three addresses, then provider, name and arguments, each with a zero byte behind it.
  private static func tracepoint(_ note: [UInt8], base: UInt64?) -> ELFTracepoint? {
    guard let address = note.littleEndian(at: 0, width: 8),
      let noted = note.littleEndian(at: 8, width: 8),
      let semaphore = note.littleEndian(at: 16, width: 8)
    else { return nil }
    // No more parts than are looked at: a note may be nothing but zeros.
    let texts = note[24...].split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
    guard texts.count >= 3, !texts[1].isEmpty else { return nil }
    let moved = base.map { noted == 0 ? 0 : $0 &- noted } ?? 0
    return ELFTracepoint(
      provider: String(decoding: texts[0], as: UTF8.self),
      name: String(decoding: texts[1], as: UTF8.self), address: address &+ moved,
      semaphore: semaphore == 0 ? 0 : semaphore &+ moved)
  }
}
