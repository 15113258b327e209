#if arch(x86_64)
  import ProbeEvents

  /// Where the registers of the frame are that a walk has come to. They are read when they are needed
  /// and not before, since whatever is read tells stacks apart.
  struct WalkedRegisters {
    private enum Kind: UInt8, BitwiseCopyable {
      /// The hit's own register.
      case recorded
      /// In the word at an address.
      case word
      /// The number itself.
      case value
      case lost
    }

    private struct Place: BitwiseCopyable {
      var kind: Kind
      var number: UInt64
    }

    private static let atHit = [Place](repeating: Place(kind: .recorded, number: 0), count: 16)

    /// The frame's stack pointer, which is always known.
    private(set) var stackPointer: Address = 0
    private var places = WalkedRegisters.atHit
    /// Whether any register is elsewhere than at the hit.
    private var isAtHit = true

    /// Begins at a hit.
    mutating func begin(stackPointer: Address) {
      self.stackPointer = stackPointer
      guard !isAtHit else { return }
      for register in places.indices { places[register].kind = .recorded }
      isAtHit = true
    }

    /// Goes to a caller that has all registers but this one in common.
    mutating func move(toStackPointer stackPointer: Address) { self.stackPointer = stackPointer }

    /// A register by its number; nil when it is not known.
    @inline(__always)
    mutating func value(_ register: UInt8, _ memory: HitMemory, _ images: SpaceImages) -> UInt64? {
      if register == LibunwindNumber.stackPointer { return stackPointer }
      let place = places[Int(register)]
      switch place.kind {
      case .value: return place.number
      case .lost: return nil
      case .recorded:
        isAtHit = false
        let value = memory.register(LibunwindNumber.columns[Int(register)])
        places[Int(register)] = Place(kind: .value, number: value)
        return value
      case .word:
        guard let value = Self.word(at: place.number, memory, images) else { return nil }
        places[Int(register)] = Place(kind: .value, number: value)
        return value
      }
    }

    /// A word for a step; nil when it is not known.
    @inline(__always)
    static func word(
      at address: Address, _ memory: HitMemory, _ images: SpaceImages
    ) -> UInt64? {
      memory.isInWindow(address)
        ? memory.stackWord(at: address) : farWord(at: address, memory, images)
    }

    @inline(never)
    private static func farWord(
      at address: Address, _ memory: HitMemory, _ images: SpaceImages
    ) -> UInt64? {
      if let word = images.fileWord(at: address) { return word }
      // What is in a mapping depends on the mappings alone, not on the hit.
      return images.map.place(of: address) == nil ? memory.stackWord(at: address) : nil
    }

    /// Goes to the caller by a rule. `base` and `frame` are what the rule's register and the caller's
    /// stack pointer are.
    @inline(__always)
    mutating func move(
      toFrame frame: Address, fromBase base: Address, _ saves: ArraySlice<FrameRule.Save>
    ) {
      isAtHit = false
      for save in saves {
        let address = Self.address(
          save.base, save.distance, frame: frame, base: base, stackPointer: stackPointer)
        let kind: Kind =
          switch save.origin {
          case .word: .word
          case .address: .value
          case .lost: .lost
          }
        places[Int(save.register)] = Place(kind: kind, number: address)
      }
      stackPointer = frame
    }

    /// An address that a rule names.
    @inline(__always)
    static func address(
      _ base: FrameRule.Base, _ distance: Int32, frame: Address, base register: Address,
      stackPointer: Address
    ) -> Address {
      let start =
        switch base {
        case .frame: frame
        case .register: register
        case .stackPointer: stackPointer
        }
      return start &+ UInt64(bitPattern: Int64(distance))
    }
  }
#endif
