public import ProbeEvents

/// A function, as the kernel's symbol table knows it.
public struct KernelSymbol: Sendable, Hashable {
  /// Its name.
  public var name: String
  /// Its first byte.
  public var address: Address
  /// Its size in bytes.
  public var size: UInt64
  /// What it begins with, on x86-64.
  public var entry: Entry

  /// What a function begins with.
  public enum Entry: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// An ordinary instruction.
    case plain
    /// A landing pad of four bytes (ENDBR).
    case landingPad
    /// Memory that cannot be read.
    case unreadable
  }

  /// A function.
  public init(_ name: String, at address: Address, size: UInt64, entry: Entry = .plain) {
    self.name = name
    self.address = address
    self.size = size
    self.entry = entry
  }

  /// Whether an address is in it.
  func contains(_ address: Address) -> Bool { address &- self.address < size }
}

/// What the kernel knows about its own text: symbols, sections, modules, and places with a meaning.
///
/// Kernel: kallsyms_lookup_size_offset(), core_kernel_text(), __module_text_address(), and the
/// tables the checks of check_kprobe_address_safe() look into
public struct KernelText: Sendable, Hashable {
  /// All functions, of modules as well.
  public var symbols: [KernelSymbol] = []
  /// The kernel's own text.
  public var core: Range<Address>
  /// Modules, loaded or being loaded.
  public var modules: [KernelModule] = []
  /// Places with a meaning.
  public var marks: [TextMark] = []
  /// Calls of the function tracer.
  public var ftraceCalls: [Range<Address>] = []
  /// Stretches a jump could take the place of: whole instructions, enough for the jump, that
  /// nothing jumps into (x86-64).
  public var jumps: [Range<Address>] = []
  /// The instructions; an address that is not listed has a plain one (see
  /// ``KprobeInstruction/plain(_:)``).
  public var instructions: [Address: KprobeInstruction] = [:]

  /// Words in the text that instructions load; those not listed are zero (arm64).
  public var literals: [Address: UInt64] = [:]

  /// A kernel without symbols.
  public init(core: Range<Address>) {
    self.core = core
  }

  /// The first symbol of that name.
  func symbol(named name: String) -> KernelSymbol? {
    symbols.first { $0.name == name }
  }

  /// The symbol an address is in.
  func symbol(containing address: Address) -> KernelSymbol? {
    symbols.first { $0.contains(address) }
  }

  /// The place of a module whose text has the address.
  func module(containing address: Address) -> Int? {
    modules.firstIndex { $0.core.contains(address) || $0.initText.contains(address) }
  }

  /// Everything about one address that decides whether it can be probed.
  public func site(at address: Address, architecture: Architecture) -> KprobeSite {
    var site = KprobeSite(
      address: address,
      instruction: instructions[address] ?? .plain(architecture))
    site.isCore = core.contains(address)
    site.module = module(containing: address).map { modules[$0] }
    site.marks = marks.filter { $0.range.contains(address) }.reduce(into: []) {
      $0.insert($1.meaning)
    }
    if ftraceCalls.contains(where: { $0.lowerBound == address }) {
      site.ftrace = .start
    } else if ftraceCalls.contains(where: { $0.contains(address) }) {
      site.ftrace = .inside
    }
    return site
  }
}

/// A stretch of text with a meaning.
public struct TextMark: Sendable, Hashable {
  /// Where.
  public var range: Range<Address>
  /// What it means.
  public var meaning: Meaning

  /// What a place in the kernel's text can be.
  public enum Meaning: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// A branch patched at run time.
    case jumpLabel
    /// A call patched at run time.
    case staticCall
    /// The instruction of a BUG or WARN.
    case bug
    /// The page that emulates old system calls.
    case gateArea
    /// A preamble of control-flow integrity.
    case preamble
    /// Text chosen by the processor's features.
    case alternatives
    /// Not the start of an instruction.
    case middleOfInstruction
    /// An instruction whose faults have a fix-up.
    case exceptionTable
    /// Between an exclusive load and its store.
    case exclusiveSequence
  }

  /// A stretch.
  public init(_ meaning: Meaning, _ range: Range<Address>) {
    self.meaning = meaning
    self.range = range
  }
}
