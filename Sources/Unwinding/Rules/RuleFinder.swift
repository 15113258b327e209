#if arch(x86_64)
  import CUnwind
  import ProbeEvents

  /// Learns from libunwind how it steps from a place in the code, by having it step from there with
  /// made-up registers and a made-up stack.
  ///
  /// What depends on the values in any other way than by a distance (so that made-up ones cannot stand
  /// for all) or is no step by the unwind tables gives no rule.
  @safe final class RuleFinder {
    /// What was learnt.
    enum Finding: Equatable {
      /// There is no caller.
      case outermost
      /// How to get to the caller.
      case rule(FrameRule, [FrameRule.Save])
    }

    /// The registers beside the instruction pointer.
    private static let registers: UInt8 = 16

    // Made and destroyed by the engine that also owns this object.
    private let space: OpaquePointer
    private var cursor = unw_cursor_t()

    init(space: OpaquePointer) { unsafe self.space = space }

    /// What libunwind does at an address, which for a call is any byte of the call; nil when there is
    /// no rule for it.
    func finding(at address: Address, _ images: SpaceImages) -> Finding? {
      guard let one = step(address, images, isShifted: false),
        step(address, images, isShifted: true) == one
      else { return nil }
      return one
    }

    private func step(_ address: Address, _ images: SpaceImages, isShifted: Bool) -> Finding? {
      let lookup = MadeUpLookup(address, images, isShifted: isShifted)
      // libunwind passes the pointer to the accessors during these calls only; `lookup` outlives them.
      return withExtendedLifetime(lookup) {
        let argument = unsafe Unmanaged.passUnretained(lookup).toOpaque()
        guard unsafe cunw_init(&cursor, space, argument) == 0 else { return nil }
        lookup.beginStep()
        // The cursor is whole: `cunw_init` filled it.
        let result = unsafe cunw_step(&cursor)
        guard result >= 0, lookup.usedTables else { return nil }
        return result == 0 ? .outermost : finding(lookup)
      }
    }

    private func finding(_ lookup: MadeUpLookup) -> Finding? {
      guard var rule = frame(lookup),
        let address = value(LibunwindNumber.instructionPointer),
        case .word(let word, 0)? = lookup.source(of: address),
        let place = place(lookup.address(ofWord: word), rule, lookup)
      else { return nil }
      (rule.returnBase, rule.returnDistance) = place
      var saves: [FrameRule.Save] = []
      for register in 0..<Self.registers where register != LibunwindNumber.stackPointer {
        var save = FrameRule.Save(register: register, origin: .lost, base: .frame, distance: 0)
        if let value = value(register) {
          guard let source = lookup.source(of: value) else { return nil }
          if source == .register(register, 0) { continue }
          let address: Address
          if case .word(let word, 0) = source, !isFrame(source, rule, lookup) {
            save.origin = .word
            address = lookup.address(ofWord: word)
          } else {
            save.origin = .address
            address = value
          }
          guard let place = self.place(address, rule, lookup) else { return nil }
          (save.base, save.distance) = place
        }
        saves.append(save)
      }
      return .rule(rule, saves)
    }

    /// How the caller's stack pointer is found.
    private func frame(_ lookup: MadeUpLookup) -> FrameRule? {
      guard let value = value(LibunwindNumber.stackPointer) else { return nil }
      var rule = FrameRule()
      switch lookup.source(of: value) {
      case .register(let register, let distance):
        (rule.register, rule.distance) = (register, distance)
      case .word(let word, let distance):
        guard
          case .register(let register, let inner)? = lookup.source(of: lookup.address(ofWord: word))
        else { return nil }
        (rule.isIndirect, rule.distance) = (true, distance)
        (rule.register, rule.indirectDistance) = (register, inner)
      case nil: return nil
      }
      return rule
    }

    /// Whether a value is the word that the caller's stack pointer was found by.
    private func isFrame(
      _ source: MadeUpLookup.Source, _ rule: FrameRule, _ lookup: MadeUpLookup
    ) -> Bool {
      guard rule.isIndirect, case .word(let word, _) = source else { return false }
      return lookup.source(of: lookup.address(ofWord: word))
        == .register(rule.register, rule.indirectDistance)
    }

    /// An address relative to one of those that rules count from.
    private func place(
      _ address: Address, _ rule: FrameRule, _ lookup: MadeUpLookup
    ) -> (FrameRule.Base, Int32)? {
      guard let source = lookup.source(of: address) else { return nil }
      switch source {
      case .register(rule.register, let distance) where !rule.isIndirect:
        return Self.fromFrame(distance, rule)
      case .register(rule.register, let distance): return (.register, distance)
      case .register(LibunwindNumber.stackPointer, let distance): return (.stackPointer, distance)
      case .word(_, let distance) where isFrame(source, rule, lookup):
        return Self.fromFrame(distance, rule)
      case .register, .word: return nil
      }
    }

    /// A distance from what the frame was found by as one from the frame; nil when it does not fit.
    private static func fromFrame(
      _ distance: Int32, _ rule: FrameRule
    ) -> (FrameRule.Base, Int32)? {
      let (rest, overflow) = distance.subtractingReportingOverflow(rule.distance)
      return overflow ? nil : (.frame, rest)
    }

    /// A register of the caller; nil when it is lost.
    private func value(_ number: UInt8) -> UInt64? {
      var value: UInt64 = 0
      // The cursor is whole: it has just made a step.
      return unsafe cunw_register(&cursor, Int32(number), &value) == 0 ? value : nil
    }
  }
#endif
