/// The functions among which the resolver of an indirect function chooses.
enum IndirectFunction {
  /// A resolver is short; what it cannot hold in this many bytes is not looked for.
  private static let resolverLimit = 4096
  private static let shownLimit = 12

  /// What to write in place of an indirect function: names where the symbol table has them, file
  /// offsets where the resolver only loads an address.
  static func implementations(of resolvers: [ELFSymbol], in file: LoadedFile) -> [String] {
    let loaded = resolvers.flatMap { loadedAddresses($0, in: file) }
    let shown = Set(loaded).sorted().compactMap { address -> String? in
      if let symbol = file.symbols.functions.first(where: { $0.address == address }) {
        return symbol.displayName
      }
      return file.codeOffset(of: address).map { "0x" + String($0, radix: 16) }
    }
    return Array(shown.prefix(shownLimit))
  }

  /// The code addresses that a resolver computes relative to itself and may return.
  private static func loadedAddresses(_ resolver: ELFSymbol, in file: LoadedFile) -> [UInt64] {
    guard let offset = file.codeOffset(of: resolver.address),
      let decoder = CodeDecoder(file.architecture)
    else { return [] }
    let length = Int(clamping: min(resolver.size, UInt64(resolverLimit)))
    let code = file.bytes(at: offset, upTo: length)
    var found: [UInt64] = []
    var at = 0
    while let decoded = decoder.decode(code, at: at, address: resolver.address &+ UInt64(at)),
      decoded.size > 0
    {
      if let address = decoded.loadedAddress, file.codeOffset(of: address) != nil {
        found.append(address)
      }
      at += decoded.size
    }
    return found
  }
}
