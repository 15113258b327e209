/// Where the registers of a caller are, for a callee at one place in the code, as libunwind goes by
/// the unwind tables.
///
/// Words are found from the caller's stack pointer, which lies a fixed distance from a register of the
/// callee or from a word that such a register points at, from that register, or from the callee's
/// stack pointer.
struct FrameRule: Equatable, BitwiseCopyable {
  /// What a distance counts from.
  enum Base: UInt8, BitwiseCopyable {
    /// The caller's stack pointer.
    case frame
    /// ``FrameRule/register`` of the callee.
    case register
    /// The callee's stack pointer.
    case stackPointer
  }

  /// Where a register is.
  enum Origin: UInt8, BitwiseCopyable {
    /// In a stack word.
    case word
    /// It is the address itself.
    case address
    /// Nowhere.
    case lost
  }

  /// A register that is not where it was.
  struct Save: Equatable, BitwiseCopyable {
    var register: UInt8
    var origin: Origin
    var base: Base
    var distance: Int32
  }

  /// The register of the callee that the frame is found by.
  var register: UInt8 = 0
  /// Whether that register points at a word, which then is what counts.
  var isIndirect = false
  /// Distance of that word from the register.
  var indirectDistance: Int32 = 0
  /// Distance of the caller's stack pointer from the register or the word.
  var distance: Int32 = 0
  /// The word with the caller's address.
  var returnBase = Base.frame
  var returnDistance: Int32 = 0
}

/// What is known of the code at one place.
struct FramePlace: BitwiseCopyable {
  /// What to do with a frame there.
  enum Kind: UInt8, BitwiseCopyable {
    /// Nothing: no frame can be there.
    case outside
    /// Stop: its file is not here.
    case withoutFile
    /// Ask libunwind: no rule says it.
    case unruled
    /// Stop: it has no caller.
    case outermost
    /// Go by the rule.
    case ruled
  }

  var kind: Kind
  /// Whether it is what a signal handler returns through: its caller was interrupted.
  var isSignal: Bool
  /// Only with ``Kind/ruled``.
  var rule: FrameRule
  /// The registers that are elsewhere, by place in ``FramePlaces/saves``.
  var firstSave: Int32
  var endOfSaves: Int32
}
