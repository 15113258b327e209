import ProbeEvents
import Recorder
import TapeFormat

/// The mapped files of one address space in one state of its mappings: what is where.
final class SpaceImages {
  /// A mapping with its file.
  struct Mapped {
    let area: ProcessMap.Area
    let image: UnwindImage
    let bias: UInt64
  }

  let map: ProcessMap
  let store: ImageStore
  private var known: [Address: Mapped?] = [:]
  /// Stretches of unwind tables as they lie in this address space.
  private var stretches: [(start: Address, bytes: [UInt8])] = []
  private var latest = 0
  /// The kinds of the frames asked about.
  private var kinds: [Address: FrameKind] = [:]
  /// Addresses remembered; beyond that, all are forgotten at once.
  private static let kindLimit = 1 << 16

  /// The mappings as numbers alone.
  private let mappings: [(start: Address, end: Address, fileOffset: UInt64)]
  private var latestArea = 0
  /// The places of the mappings' files in the table with this identity; nil for none yet.
  private var filePlaces: [UInt32?] = []
  private var tableOfFiles: UInt64 = 0

  init(map: ProcessMap, store: ImageStore) {
    self.map = map
    self.store = store
    mappings = map.areas.map { ($0.start, $0.end, $0.fileOffset) }
  }

  /// The mapping that holds an address, with its file; nil when either is not known.
  func mapped(at address: Address) -> Mapped? {
    guard let area = map.area(at: address) else { return nil }
    if let mapped = known[area.start] { return mapped }
    var mapped: Mapped?
    if let image = store.image(of: area.file), let bias = image.bias(of: area) {
      mapped = Mapped(area: area, image: image, bias: bias)
      for part in image.tables?.areas ?? [] {
        stretches.append((part.address &+ bias, part.bytes))
      }
    }
    known[area.start] = mapped
    return mapped
  }

  /// Eight bytes of an unwind table or of code, as the file there has them.
  func fileWord(at address: Address) -> UInt64? {
    tableWord(at: address)
      ?? mapped(at: address).map {
        $0.image.word(atFileOffset: address - $0.area.start &+ $0.area.fileOffset)
      }
  }

  /// An address as a frame of a table.
  func frame(_ raw: RawFrame, in table: inout StackTable) -> StackFrame {
    var frame = StackFrame(file: StackFrame.noFile, offset: raw.address, isExact: raw.isExact)
    guard let area = areaPlace(of: raw.address) else { return frame }
    let mapping = mappings[area]
    frame.file = filePlace(area, in: &table)
    if frame.file != StackFrame.noFile {
      frame.offset = raw.address - mapping.start &+ mapping.fileOffset
    }
    return frame
  }

  @inline(__always)
  private func areaPlace(of address: Address) -> Int? {
    if latestArea < mappings.count, address >= mappings[latestArea].start,
      address < mappings[latestArea].end
    {
      return latestArea
    }
    guard let place = map.place(of: address) else { return nil }
    latestArea = place
    return place
  }

  private func filePlace(_ area: Int, in table: inout StackTable) -> UInt32 {
    if tableOfFiles != table.identity {
      tableOfFiles = table.identity
      filePlaces = [UInt32?](repeating: nil, count: mappings.count)
    }
    if let known = filePlaces[area] { return known }
    let file = map.areas[area].file
    let place = file.isStorable ? table.place(of: file) : StackFrame.noFile
    filePlaces[area] = place
    return place
  }

  /// What is known of the code at an address.
  func kind(at address: Address) -> FrameKind {
    if let known = kinds[address] { return known }
    let kind =
      mapped(at: address).flatMap { mapped in
        mapped.image.tables?.kind(at: address &- mapped.bias)
      } ?? .unknown
    if kinds.count >= Self.kindLimit { kinds.removeAll(keepingCapacity: true) }
    kinds[address] = kind
    return kind
  }

  /// Eight bytes of the unwind tables seen so far; nil when none of them is in one. Bytes beside a
  /// table read as zero.
  func tableWord(at address: Address) -> UInt64? {
    if let word = wholeWord(at: address, in: latest) { return word }
    for index in stretches.indices {
      if let word = wholeWord(at: address, in: index) {
        latest = index
        return word
      }
    }
    return partialWord(at: address)
  }

  private func wholeWord(at address: Address, in index: Int) -> UInt64? {
    guard index < stretches.count else { return nil }
    let distance = address &- stretches[index].start
    let count = stretches[index].bytes.count
    guard count >= 8, distance <= UInt64(count - 8) else { return nil }
    // All eight bytes were just held against the count.
    return unsafe stretches[index].bytes.withUnsafeBytes { bytes in
      unsafe bytes.loadUnaligned(fromByteOffset: Int(distance), as: UInt64.self)
    }
  }

  /// A word at the edge of a table, or of two.
  private func partialWord(at address: Address) -> UInt64? {
    var word: UInt64 = 0
    var found = false
    for byte in 0..<UInt64(8) {
      for stretch in stretches {
        let distance = address &+ byte &- stretch.start
        guard distance < UInt64(stretch.bytes.count) else { continue }
        word |= UInt64(stretch.bytes[Int(distance)]) << (byte * 8)
        found = true
        break
      }
    }
    return found ? word : nil
  }
}
