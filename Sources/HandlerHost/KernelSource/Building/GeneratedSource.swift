import ProbeEvents

/// The C file that a kernel tree becomes: stand-ins, the tree's types, its functions, and the
/// runtime that drives them.
struct GeneratedSource {
  /// The functions and types that are driven, whatever the version; the rest follows from them.
  private static let roots = [
    "handle_swbp", "handle_uretprobe_chain", "prepare_uretprobe", "uprobe_copy_process",
    "uprobe_free_utask", "consumer_add", "arch_uretprobe_hijack_return_addr",
    "struct uprobe", "struct uprobe_task", "struct return_instance", "struct uprobe_consumer",
    "struct uprobes_state", "struct xol_area", "UPROBE_COPY_INSN",
  ]

  /// The whole text.
  let text: [UInt8]

  /// Extracts from the files of a tree.
  init(
    _ tree: KernelTree, _ files: [(String, [UInt8])], _ architecture: Architecture
  ) throws(KernelSourceError) {
    let symbols = Self.symbols(architecture)
    let sources = files.map { CSource(path: $0.0, text: $0.1, defined: symbols) }
    let extraction: Extraction
    do {
      extraction = try Extraction(
        sources, roots: Self.roots, supplied: StandIns.names(defined: symbols))
    } catch {
      throw .missingFunction(tree.text, name: error.name)
    }
    var writer = Writer(extraction: extraction)
    writer.write(architecture)
    text = writer.text
  }

  /// What conditionals in the tree's files see.
  private static func symbols(_ architecture: Architecture) -> Set<String> {
    let common: Set<String> = [
      "CONFIG_UPROBES", "CONFIG_UPROBE_EVENTS", "CONFIG_UPROBE_EVENT", "CONFIG_MMU", "CONFIG_64BIT",
      "CONFIG_SMP", "__KERNEL__",
    ]
    switch architecture {
    case .x86_64: return common.union(["CONFIG_X86_64", "CONFIG_X86", "PT_X86_64"])
    case .aarch64: return common.union(["CONFIG_ARM64"])
    }
  }
}

/// Puts the pieces in an order that C accepts.
private struct Writer {
  let extraction: Extraction
  private(set) var text: [UInt8] = []

  init(extraction: Extraction) { self.extraction = extraction }

  mutating func write(_ architecture: Architecture) {
    line("#define _GNU_SOURCE")
    for header in ["stddef", "stdint", "stdbool", "stdarg", "stdio", "stdlib", "string", "malloc"] {
      line("#include <\(header).h>")
    }
    line("#define PT_X86_64 \(architecture == .x86_64 ? 1 : 0)")
    line("#define PT_NAME \"kernel\"")
    line("#define PT_HAS_CONSUMER_LIST \(mentions("struct uprobe_consumer", "cons_node") ? 1 : 0)")
    line("#define PT_COPY_TAKES_FLAGS \(takesTwoParameters("uprobe_copy_process") ? 1 : 0)")
    standIn("probe_handler.h", StandIns.interface)
    standIn("stubs.h", StandIns.stubs)
    standIn("duplicated.h", StandIns.duplicated)
    forwardDeclarations()
    for piece in extraction.pieces where piece.item.kind == .type || piece.item.kind == .macro {
      add(piece)
    }
    standIn("deliberate.h", StandIns.deliberate)
    for piece in extraction.pieces where piece.item.kind == .variable { add(piece) }
    for piece in extraction.pieces where piece.item.kind == .function { addPrototype(piece) }
    for piece in extraction.pieces where piece.item.kind == .function {
      add(piece)
      if piece.item.names == ["handle_uretprobe_chain"] { watchHandling() }
    }
    standIn("runtime.h", StandIns.runtime)
  }

  /// Which instance's return handlers are running, the runtime learns from the call's first
  /// argument; a macro does not expand inside itself.
  private mutating func watchHandling() {
    line("#define handle_uretprobe_chain(instance, ...) \\")
    line("  (pt->returning = (instance), handle_uretprobe_chain(instance, __VA_ARGS__))")
  }

  private mutating func line(_ content: String) {
    text += Array(content.utf8)
    text.append(UInt8(ascii: "\n"))
  }

  private mutating func standIn(_ name: String, _ content: [UInt8]) {
    line("#line 1 \"\(name)\"")
    text += content
  }

  private mutating func add(_ piece: Extraction.Piece) {
    let source = extraction.sources[piece.source]
    line("#line \(source.line(at: piece.item.range.lowerBound)) \"\(source.path)\"")
    text += source.code[piece.item.range]
    line("")
  }

  private mutating func addPrototype(_ piece: Extraction.Piece) {
    let source = extraction.sources[piece.source]
    line("#line \(source.line(at: piece.item.range.lowerBound)) \"\(source.path)\"")
    text += source.code[piece.item.range.lowerBound..<piece.item.body]
    line(";")
  }

  /// Declares every tag, so that none is born inside a parameter list.
  private mutating func forwardDeclarations() {
    var tags: Set<String> = []
    for piece in extraction.pieces {
      let mask = extraction.mask(piece)
      for identifier in CIdentifiers.all(mask, 0..<mask.count) where identifier.tag == "struct" {
        tags.insert(identifier.name)
      }
    }
    for tag in tags.sorted() { line("struct \(tag);") }
  }

  private func mentions(_ definition: String, _ word: String) -> Bool {
    guard let piece = extraction.definition(of: definition) else { return false }
    let mask = extraction.mask(piece)
    return CIdentifiers.all(mask, 0..<mask.count).contains { $0.name == word }
  }

  private func takesTwoParameters(_ function: String) -> Bool {
    guard let piece = extraction.definition(of: function) else { return false }
    return extraction.mask(piece, to: piece.item.body).contains(UInt8(ascii: ","))
  }
}
