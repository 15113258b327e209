/// The records of a perf.data one after the other, decompressed, in the order of the file.
///
/// Holds a piece of the file and one decompressed piece, however long the file is.
struct RecordStream {
  /// Where the file stops making sense; nil while it makes sense, and after a whole file.
  private(set) var cut: PerfRecord.Cut?

  private let input: PerfInput
  private let range: Range<UInt64>
  private let isUnfinished: Bool
  private var window: [UInt8] = []
  private var head = 0
  /// Offset in the file of `window[head]`.
  private var offset: UInt64
  private let zstd = ZstdStream()
  /// The compressed block being taken apart.
  private var block: [UInt8] = []
  private var blockPosition = 0
  private var blockOffset: UInt64 = 0
  /// Whether zstd may hold more output than it was asked for.
  private var holdsOutput = false
  private var plain: [UInt8] = []
  private var plainHead = 0

  private static let chunk = 1 << 20

  init(_ input: PerfInput, _ header: PerfFileHeader) {
    self.input = input
    range = header.records
    isUnfinished = header.isUnfinished
    offset = range.lowerBound
  }

  /// The next record; nil at the end, or where the file is cut.
  mutating func next() throws(ExchangeError) -> PerfRecord? {
    while cut == nil {
      if let record = takePlain() { return record }
      if cut != nil { return nil }
      if blockPosition < block.count || holdsOutput {
        decompress()
        continue
      }
      guard let record = try takeRaw() else { return nil }
      switch record.kind {
      case PerfRecord.Kind.compressed: startBlock(record, from: 8, to: record.bytes.count)
      case PerfRecord.Kind.compressed2:
        guard record.bytes.count >= 16 else {
          stop(.compression, at: record.offset)
          return nil
        }
        let size = record.bytes.number(at: 8, as: UInt64.self)
        guard size <= UInt64(record.bytes.count - 16) else {
          stop(.compression, at: record.offset)
          return nil
        }
        startBlock(record, from: 16, to: 16 + Int(size))
      default: return record
      }
    }
    return nil
  }

  private mutating func stop(_ reason: PerfRecord.Cut.Reason, at offset: UInt64) {
    cut = PerfRecord.Cut(offset: offset, reason: reason)
  }

  // MARK: compressed records

  private mutating func startBlock(_ record: PerfRecord, from start: Int, to end: Int) {
    block = Array(record.bytes[start..<end])
    blockPosition = 0
    blockOffset = record.offset
  }

  private mutating func decompress() {
    if plainHead > 0 {
      plain.removeSubrange(..<plainHead)
      plainHead = 0
    }
    let before = blockPosition
    let written = zstd.decompress(
      block, position: &blockPosition, into: &plain)
    guard let written, written > 0 || blockPosition > before || holdsOutput else {
      return stop(.compression, at: blockOffset)
    }
    holdsOutput = written == ZstdStream.pieceMax
  }

  /// A record of the decompressed piece; nil when it has no whole one.
  private mutating func takePlain() -> PerfRecord? {
    let left = plain.count - plainHead
    guard left >= 8 else { return nil }
    let size = plain.number(at: plainHead + 6, as: UInt16.self)
    guard size >= 8 else {
      stop(.recordSize(size), at: blockOffset)
      return nil
    }
    guard Int(size) <= left else { return nil }
    defer { plainHead += Int(size) }
    return PerfRecord(
      kind: plain.number(at: plainHead, as: UInt32.self),
      misc: plain.number(at: plainHead + 4, as: UInt16.self), offset: blockOffset,
      bytes: Array(plain[plainHead..<plainHead + Int(size)]))
  }

  // MARK: the file

  private mutating func takeRaw() throws(ExchangeError) -> PerfRecord? {
    guard try ensure(8) else {
      end()
      return nil
    }
    let start = offset
    let size = window.number(at: head + 6, as: UInt16.self)
    guard size >= 8 else {
      stop(.recordSize(size), at: start)
      return nil
    }
    guard try ensure(Int(size)) else {
      stop(.endsInsideRecord, at: start)
      return nil
    }
    var record = PerfRecord(
      kind: window.number(at: head, as: UInt32.self),
      misc: window.number(at: head + 4, as: UInt16.self), offset: start,
      bytes: Array(window[head..<head + Int(size)]))
    advance(Int(size))
    switch record.kind {
    case PerfRecord.Kind.tracingData:
      guard try takePayload(&record) else { return nil }
    case PerfRecord.Kind.auxTrace:
      // What a processor traced by itself lies between the records.
      guard size >= 16 else { break }
      skip(record.bytes.number(at: 8, as: UInt64.self))
    default: break
    }
    return record
  }

  private mutating func takePayload(_ record: inout PerfRecord) throws(ExchangeError) -> Bool {
    guard record.bytes.count >= 12 else { return true }
    let size = record.bytes.number(at: 8, as: UInt32.self)
    guard size <= PerfFeatures.bytesMax else {
      stop(.tracingData, at: record.offset)
      return false
    }
    // Filled up to a whole number of 8 bytes.
    let padded = (Int(size) + 7) / 8 * 8
    guard try ensure(padded) else {
      stop(.endsInsideRecord, at: record.offset)
      return false
    }
    record.payload = Array(window[head..<head + Int(size)])
    advance(padded)
    return true
  }

  /// The end of the file: of the records, too?
  private mutating func end() {
    if isUnfinished {
      stop(.unfinished, at: input.length)
    } else if offset < range.upperBound {
      let isInside = window.count > head
      stop(isInside ? .endsInsideRecord : .endsTooEarly, at: isInside ? offset : input.length)
    } else if plain.count > plainHead {
      stop(.compression, at: blockOffset)
    }
  }

  private mutating func advance(_ count: Int) {
    head += count
    offset += UInt64(count)
  }

  private mutating func skip(_ count: UInt64) {
    let (next, overflows) = offset.addingReportingOverflow(count)
    window = []
    head = 0
    offset = overflows ? range.upperBound : min(next, range.upperBound)
  }

  /// Reads until `count` bytes of records are at hand; false when there are fewer.
  private mutating func ensure(_ count: Int) throws(ExchangeError) -> Bool {
    guard window.count - head < count else { return true }
    window.removeSubrange(..<head)
    head = 0
    let next = offset + UInt64(window.count)
    guard next < range.upperBound else { return false }
    let wanted = max(count - window.count, Self.chunk)
    window += try input.read(at: next, count: Int(min(UInt64(wanted), range.upperBound - next)))
    return window.count >= count
  }
}
