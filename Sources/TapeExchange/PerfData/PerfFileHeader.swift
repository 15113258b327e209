/// The fixed part of a perf.data: where attributes, records and features lie
/// (`tools/perf/Documentation/perf.data-file-format.txt`).
struct PerfFileHeader {
  /// Written to a pipe: everything comes as records, from byte 16 on.
  var isPipe = false
  /// Attributes with the ids of their events.
  var attributes: [(attribute: PerfAttribute, ids: [UInt64])] = []
  /// Where the records are.
  var records: Range<UInt64>
  /// Whether perf was killed before it could write how many records there are.
  var isUnfinished = false
  /// Feature sections by bit.
  var features: [(bit: Int, offset: UInt64, size: UInt64)] = []

  /// Events' ids that are read at most: each is an event opened for one thread and CPU.
  static let idsMax = 1 << 22
  private static let attributesMax = 1 << 16

  init(_ input: PerfInput) throws(ExchangeError) {
    let start = try input.read(at: 0, count: 104)
    let magic = Array("PERFILE2".utf8)
    guard start.count >= 16 else { throw .notPerfData }
    guard Array(start[..<8]) == magic else {
      throw Array(start[..<8].reversed()) == magic ? .foreignByteOrder : .notPerfData
    }
    let size = start.number(at: 8, as: UInt64.self)
    if size == 16 {
      isPipe = true
      records = 16..<max(16, input.length)
      return
    }
    guard size >= 104, start.count == 104 else {
      throw .malformedHeader(part: "its size is \(size)", offset: 8)
    }
    let data = start.number(at: 40, as: UInt64.self)
    let dataSize = start.number(at: 48, as: UInt64.self)
    let (end, overflows) = data.addingReportingOverflow(dataSize)
    guard !overflows, data >= 104 else {
      throw .malformedHeader(part: "where its records are", offset: 40)
    }
    isUnfinished = dataSize == 0
    records = isUnfinished ? data..<max(data, input.length) : data..<end
    attributes = try Self.attributes(input, start)
    if !isUnfinished { features = try Self.features(input, start, at: end) }
  }

  private static func attributes(
    _ input: PerfInput, _ start: [UInt8]
  ) throws(ExchangeError) -> [(attribute: PerfAttribute, ids: [UInt64])] {
    let entry = start.number(at: 16, as: UInt64.self)
    let offset = start.number(at: 24, as: UInt64.self)
    let size = start.number(at: 32, as: UInt64.self)
    // An attribute of any version, then where its ids are.
    guard entry >= UInt64(PerfAttribute.sizeMin) + 16, entry <= 4096, size % entry == 0,
      size / entry <= UInt64(attributesMax)
    else { throw .malformedHeader(part: "attributes of \(entry) bytes", offset: 16) }
    let bytes = try input.read(at: offset, count: Int(size))
    guard bytes.count == Int(size) else {
      throw .malformedHeader(part: "the attributes are cut off", offset: offset)
    }
    var list: [(attribute: PerfAttribute, ids: [UInt64])] = []
    var idCount = 0
    for index in stride(from: 0, to: Int(size), by: Int(entry)) {
      guard let attribute = PerfAttribute(bytes, at: index, size: Int(entry) - 16) else {
        throw .malformedHeader(part: "an attribute", offset: offset + UInt64(index))
      }
      let place = index + Int(entry) - 16
      let idBytes = bytes.number(at: place + 8, as: UInt64.self)
      guard idBytes % 8 == 0, idBytes / 8 <= UInt64(idsMax - idCount) else {
        throw .malformedHeader(part: "\(idBytes) bytes of ids", offset: offset + UInt64(place) + 8)
      }
      let ids = try input.read(
        at: bytes.number(at: place, as: UInt64.self), count: Int(idBytes))
      guard ids.count == Int(idBytes) else {
        throw .malformedHeader(part: "the ids are cut off", offset: offset + UInt64(place))
      }
      idCount += ids.count / 8
      list.append(
        (
          attribute,
          stride(from: 0, to: ids.count, by: 8).map { ids.number(at: $0, as: UInt64.self) }
        )
      )
    }
    return list
  }

  /// The table of feature sections, right behind the records. Missing where the file is cut off.
  private static func features(
    _ input: PerfInput, _ start: [UInt8], at end: UInt64
  ) throws(ExchangeError) -> [(bit: Int, offset: UInt64, size: UInt64)] {
    var bits: [Int] = []
    for bit in 0..<256 where start[72 + bit / 8] >> UInt8(bit % 8) & 1 == 1 { bits.append(bit) }
    let table = try input.read(at: end, count: bits.count * 16)
    var list: [(bit: Int, offset: UInt64, size: UInt64)] = []
    for (place, bit) in bits.enumerated() where (place + 1) * 16 <= table.count {
      list.append(
        (
          bit, table.number(at: place * 16, as: UInt64.self),
          table.number(at: place * 16 + 8, as: UInt64.self)
        ))
    }
    return list
  }
}
