import Recorder

/// What the unwind entries say of the code at an address.
enum FrameKind {
  /// Nothing: no entry covers it.
  case unknown
  /// A function's.
  case function
  /// What a signal handler returns through.
  case signal
}

extension UnwindTables {
  /// The kind of the code at a virtual address.
  func kind(at address: UInt64) -> FrameKind {
    guard let entry = entryAddress(for: address),
      // The entry's length comes first, then how far before this place the common part is.
      let distance = number(at: entry &+ 4), distance != 0,
      let common = augmentation(at: entry &+ 4 &- UInt64(distance))
    else { return .unknown }
    // Start and length of the code, as 32-bit numbers in nearly every file; in other forms what the
    // table found is believed.
    if common.contains(UInt8(ascii: "R")), let start = number(at: entry &+ 8),
      let length = number(at: entry &+ 12)
    {
      let first = entry &+ 8 &+ UInt64(bitPattern: Int64(Int32(bitPattern: start)))
      if first <= address, address - first >= UInt64(length) { return .unknown }
    }
    return common.contains(UInt8(ascii: "S")) ? .signal : .function
  }

  /// The augmentation of an entry's common part (Linux Standard Base, `.eh_frame`): an `S` in it
  /// marks signal frames.
  private func augmentation(at common: UInt64) -> [UInt8]? {
    // Length, 0, version.
    guard number(at: common &+ 4) == 0 else { return nil }
    var letters: [UInt8] = []
    for place in 0..<UInt64(16) {
      guard let letter = byte(at: common &+ 9 &+ place) else { return nil }
      if letter == 0 { break }
      letters.append(letter)
    }
    return letters
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
