/// What is taken out of a kernel tree: the functions asked for, and everything of the tree that they
/// lean on, as far as the stand-ins do not supply it.
struct Extraction {
  /// One item with its file.
  struct Piece {
    var source: Int
    var item: CItem
  }

  let sources: [CSource]
  /// In the order of the files, and within them of the text.
  private(set) var pieces: [Piece] = []
  private var pieceOfName: [String: Piece] = [:]

  /// Takes the named roots and what they need. Names in `supplied` come from the stand-ins. Throws
  /// the first root that no file defines.
  init(
    _ sources: [CSource], roots: [String], supplied: Set<String>
  ) throws(MissingDefinition) {
    self.sources = sources
    index()
    var taken: Set<[Int]> = []
    var work = roots
    for root in roots where pieceOfName[root] == nil { throw MissingDefinition(name: root) }
    var seen = Set(roots)
    while let name = work.popLast() {
      guard let piece = pieceOfName[name] else { continue }
      guard taken.insert([piece.source, piece.item.range.lowerBound]).inserted else { continue }
      pieces.append(piece)
      for key in Self.needs(piece.item, sources[piece.source]) {
        guard !supplied.contains(key), seen.insert(key).inserted else { continue }
        work.append(key)
      }
    }
    pieces.sort {
      ($0.source, $0.item.range.lowerBound) < ($1.source, $1.item.range.lowerBound)
    }
  }

  /// The piece that defines a name, taken or not.
  func definition(of name: String) -> Piece? { pieceOfName[name] }

  /// The masked text of a piece.
  func mask(_ piece: Piece, from start: Int? = nil, to end: Int? = nil) -> [UInt8] {
    let range = piece.item.range
    return Array(
      sources[piece.source].mask[(start ?? range.lowerBound)..<(end ?? range.upperBound)])
  }

  private mutating func index() {
    for (number, source) in sources.enumerated() {
      for item in CItemScanner.items(source) {
        for name in item.names {
          // The architecture's own definition replaces a weak one, whatever their order.
          if let known = pieceOfName[name], !known.item.isWeak || item.isWeak { continue }
          pieceOfName[name] = Piece(source: number, item: item)
        }
      }
    }
  }

  private static func needs(_ item: CItem, _ source: CSource) -> [String] {
    CIdentifiers.all(source.mask, item.range).compactMap { identifier in
      if identifier.isMember { return nil }
      if let tag = identifier.tag { return "\(tag) \(identifier.name)" }
      return identifier.name
    }
  }
}

/// Something that must be in a kernel tree and is not.
struct MissingDefinition: Error {
  var name: String
}
