import Recorder

extension UnwindTables {
  /// Whether the code at a virtual address is what a signal handler returns through: the entry's
  /// common part then has an `S` in its augmentation (Linux Standard Base, `.eh_frame`).
  func isSignalFrame(at address: UInt64) -> Bool {
    guard let entry = entryAddress(for: address),
      // The entry's length comes first, then how far before this place the common part is.
      let distance = number(at: entry &+ 4), distance != 0
    else { return false }
    let common = entry &+ 4 &- UInt64(distance)
    // Length, 0, version.
    guard number(at: common &+ 4) == 0 else { return false }
    for place in 0..<UInt64(16) {
      guard let letter = byte(at: common &+ 9 &+ place), letter != 0 else { return false }
      if letter == UInt8(ascii: "S") { return true }
    }
    return false
  }

  /// The entry that the table has for an address: the last one that begins at or before it.
  private func entryAddress(for address: UInt64) -> UInt64? {
    let wanted = Int64(bitPattern: address &- header)
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      guard let start = number(at: table &+ UInt64(middle) &* 8) else { return nil }
      if Int64(Int32(bitPattern: start)) <= wanted { low = middle + 1 } else { high = middle }
    }
    guard low > 0, let entry = number(at: table &+ UInt64(low - 1) &* 8 &+ 4) else { return nil }
    return header &+ UInt64(bitPattern: Int64(Int32(bitPattern: entry)))
  }

  private func number(at address: UInt64) -> UInt32? {
    var number: UInt32 = 0
    for place in 0..<UInt64(4) {
      guard let byte = byte(at: address &+ place) else { return nil }
      number |= UInt32(byte) << UInt32(place * 8)
    }
    return number
  }

  private func byte(at address: UInt64) -> UInt8? {
    for area in areas where address >= area.address {
      let distance = address - area.address
      if distance < UInt64(area.bytes.count) { return area.bytes[Int(distance)] }
    }
    return nil
  }
}
