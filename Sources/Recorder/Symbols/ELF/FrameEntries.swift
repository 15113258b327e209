/// The entries of an `.eh_frame` section without a table to find them by, as linkers leave it in
/// static programs.
struct FrameEntries {
  /// Entries looked at; more have no table.
  private static let limit = 1 << 22

  private let address: UInt64
  private let bytes: [UInt8]

  /// The entries of a section at a virtual address.
  init(address: UInt64, bytes: [UInt8]) {
    self.address = address
    self.bytes = bytes
  }

  /// A table as `.eh_frame_hdr` has it after its fixed part: start of the code and place of the entry,
  /// both as 32-bit numbers relative to `base`, ordered by the first. Entries in a form that compilers
  /// do not write are left out.
  func table(relativeTo base: UInt64) -> [UInt8] {
    var found: [(start: Int32, entry: Int32)] = []
    var place = 0
    while found.count < Self.limit, let length = number(at: place), length > 0,
      // The longest length that is not the mark of a 64-bit one.
      length < 0xFFFF_FFF0, place + 4 + Int(length) <= bytes.count
    {
      if let distance = number(at: place + 4), distance != 0,
        let start = start(ofEntryAt: place, commonPart: place + 4 - Int(distance)),
        let code = Self.difference(start, base),
        let entry = Self.difference(address &+ UInt64(place), base)
      {
        found.append((code, entry))
      }
      place += 4 + Int(length)
    }
    return found.sorted { $0.start < $1.start }.flatMap { pair in
      [pair.start, pair.entry].flatMap { value in
        (0..<4).map { UInt8(truncatingIfNeeded: UInt32(bitPattern: value) >> UInt32($0 * 8)) }
      }
    }
  }

  /// The first instruction that an entry describes.
  private func start(ofEntryAt place: Int, commonPart: Int) -> UInt64? {
    switch pointerEncoding(ofCommonPartAt: commonPart) {
    case 0x1b:
      number(at: place + 8).map { raw in
        address &+ UInt64(place + 8) &+ UInt64(bitPattern: Int64(Int32(bitPattern: raw)))
      }
    case 0x03: number(at: place + 8).map(UInt64.init)
    case 0x00:
      number(at: place + 8).flatMap { low in
        number(at: place + 12).map { UInt64(low) | UInt64($0) << 32 }
      }
    default: nil
    }
  }

  /// How a common part says that the pointers of its entries are written (Linux Standard Base,
  /// `.eh_frame`, augmentation `R`).
  private func pointerEncoding(ofCommonPartAt place: Int) -> UInt8? {
    guard place >= 0, number(at: place + 4) == 0, place + 9 < bytes.count else { return nil }
    let letters = bytes[(place + 9)...].prefix(16).prefix { $0 != 0 }
    guard let first = letters.first else { return 0x00 }
    guard first == UInt8(ascii: "z") else { return nil }
    var next = place + 9 + letters.count + 1
    // Code alignment, data alignment, return column, length of what follows.
    for _ in 0..<4 { next = skipNumber(at: next) }
    for letter in letters.dropFirst() {
      guard next < bytes.count else { return nil }
      switch letter {
      case UInt8(ascii: "R"): return bytes[next]
      case UInt8(ascii: "L"): next += 1
      case UInt8(ascii: "P"):
        // A pointer in the form that the byte before it says.
        switch bytes[next] & 0x0F {
        case 0x03, 0x0B: next += 5
        case 0x00, 0x04, 0x0C: next += 9
        default: return nil
        }
      case UInt8(ascii: "S"), UInt8(ascii: "B"): break
      default: return nil
      }
    }
    return 0x00
  }

  /// The place behind a number of variable length.
  private func skipNumber(at place: Int) -> Int {
    var next = place
    while next < bytes.count, bytes[next] & 0x80 != 0 { next += 1 }
    return next + 1
  }

  private func number(at place: Int) -> UInt32? {
    guard place >= 0, let value = bytes.littleEndian(at: place, width: 4) else { return nil }
    return UInt32(truncatingIfNeeded: value)
  }

  private static func difference(_ value: UInt64, _ base: UInt64) -> Int32? {
    Int32(exactly: Int64(bitPattern: value &- base))
  }
}
