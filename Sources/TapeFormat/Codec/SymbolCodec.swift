import ProbeEvents

/// Functions of frames <-> bytes: by file, each file's frames by ascending offset.
enum SymbolCodec {
  static func encode(_ symbols: [StackSymbol]) -> [UInt8] {
    var bytes: [UInt8] = []
    var next = symbols.startIndex
    while next < symbols.endIndex {
      let file = symbols[next].file
      let end = symbols[next...].firstIndex { $0.file != file } ?? symbols.endIndex
      StackFileCodec.encode(file, into: &bytes)
      bytes.appendVarint(UInt64(end - next))
      encode(symbols[next..<end], into: &bytes)
      next = end
    }
    return bytes
  }

  private static func encode(_ symbols: ArraySlice<StackSymbol>, into bytes: inout [UInt8]) {
    var latest: StackSymbol?
    for symbol in symbols {
      bytes.appendVarint(Zigzag.encode(symbol.offset &- (latest?.offset ?? 0)))
      if let latest, latest.start == symbol.start, latest.name == symbol.name {
        bytes.append(0)
      } else {
        bytes.append(1)
        bytes.appendVarint(symbol.offset &- symbol.start)
        bytes.appendText(symbol.name)
      }
      latest = symbol
    }
  }

  static func decode(_ content: [UInt8]) throws(TapeDamage.Reason) -> [StackSymbol] {
    var reader = FieldReader(content)
    var decoded: [StackSymbol] = []
    while !reader.isAtEnd {
      let file = try StackFileCodec.decode(&reader)
      var latest = StackSymbol(file: file, offset: 0, start: 0, name: "")
      for _ in 0..<(try reader.count(reader.remaining)) {
        latest.offset &+= Zigzag.decode(try reader.varint())
        if try reader.flag() {
          latest.start = latest.offset &- (try reader.varint())
          latest.name = try reader.text()
          guard latest.name.utf8.count <= TapeLimits.symbolNameLength else { throw .overLimit }
        }
        guard latest.start <= latest.offset else { throw .valueOutOfRange }
        decoded.append(latest)
      }
    }
    return decoded
  }
}
