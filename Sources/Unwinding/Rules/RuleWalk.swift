#if arch(x86_64)
  import ProbeEvents

  /// Walks stacks of one address space by the rules learnt of libunwind.
  final class RuleWalk {
    /// How far a walk got.
    enum Result {
      /// To the end.
      case ended(StackEnding)
      /// To a frame that there is no rule for. The registers are at the frame with this index: that
      /// one, or the one that it called, where libunwind has to take over so that it comes to the
      /// other as a caller.
      case unruled(Int)
    }

    private let finder: RuleFinder
    private let images: SpaceImages
    private var places: FramePlaces

    /// - Parameter places: where to keep what is learnt.
    init(_ finder: RuleFinder, _ images: SpaceImages, _ places: FramePlaces) {
      self.finder = finder
      self.images = images
      self.places = places
    }

    /// Appends the callers of the last frame, which `registers` is at.
    func walk(
      _ registers: inout WalkedRegisters, _ memory: HitMemory, into frames: inout [RawFrame]
    ) -> Result {
      places.beginAnewIfLarge()
      guard var last = frames.last, var place = place(of: last) else {
        return .unruled(frames.count - 1)
      }
      while frames.count < StackLimit.frames {
        switch place.kind {
        case .ruled: break
        case .withoutFile: return .ended(.noFile)
        case .outermost: return .ended(.complete)
        // Only the first frame gets here.
        case .unruled, .outside: return .unruled(frames.count - 1)
        }
        let rule = place.rule
        guard let (frame, base) = frame(rule, &registers, memory),
          let next = returnAddress(
            rule, frame, base, stackPointer: registers.stackPointer, memory)
        else { return .ended(StackEnding(at: last.address, leadingTo: nil, memory, images)) }
        if next == 0 { return .ended(.complete) }
        let caller = RawFrame(address: next, isExact: place.isSignal)
        guard let callerPlace = self.place(of: caller), callerPlace.kind != .outside,
          // A handler may run on a stack of its own, above or below; nothing else goes inwards.
          place.isSignal || frame > registers.stackPointer,
          next != last.address || frame != registers.stackPointer
        else { return .ended(StackEnding(at: last.address, leadingTo: next, memory, images)) }
        if callerPlace.kind == .unruled { return .unruled(frames.count - 1) }
        registers.move(
          toFrame: frame, fromBase: base,
          places.saves[Int(place.firstSave)..<Int(place.endOfSaves)])
        frames.append(caller)
        (last, place) = (caller, callerPlace)
      }
      return .ended(.frameLimit)
    }

    /// The caller's stack pointer, and the register that it was found by.
    @inline(__always)
    private func frame(
      _ rule: FrameRule, _ registers: inout WalkedRegisters, _ memory: HitMemory
    ) -> (frame: Address, base: Address)? {
      guard let base = registers.value(rule.register, memory, images) else { return nil }
      guard rule.isIndirect else {
        return (base &+ UInt64(bitPattern: Int64(rule.distance)), base)
      }
      let address = base &+ UInt64(bitPattern: Int64(rule.indirectDistance))
      return WalkedRegisters.word(at: address, memory, images).map {
        ($0 &+ UInt64(bitPattern: Int64(rule.distance)), base)
      }
    }

    @inline(__always)
    private func returnAddress(
      _ rule: FrameRule, _ frame: Address, _ base: Address, stackPointer: Address,
      _ memory: HitMemory
    ) -> Address? {
      let address = WalkedRegisters.address(
        rule.returnBase, rule.returnDistance, frame: frame, base: base,
        stackPointer: stackPointer)
      return WalkedRegisters.word(at: address, memory, images)
    }

    /// The place of a frame, learnt when it is seen first; nil for an address that cannot be one.
    @inline(__always)
    private func place(of frame: RawFrame) -> FramePlace? {
      guard let key = FramePlaces.key(frame.address, isExact: frame.isExact) else { return nil }
      return places.find(key) ?? learn(frame, key)
    }

    @inline(never)
    private func learn(_ frame: RawFrame, _ key: UInt64) -> FramePlace {
      func insert(_ kind: FramePlace.Kind) -> FramePlace {
        places.insert(key, kind, isSignal: false, FrameRule(), [])
      }
      guard images.map.area(at: frame.address)?.isTrampoline == false else {
        return insert(.outside)
      }
      guard images.mapped(at: frame.address) != nil else { return insert(.withoutFile) }
      switch finder.finding(at: frame.lookupAddress, images) {
      case nil: return insert(.unruled)
      case .outermost: return insert(.outermost)
      case .rule(let rule, let saves):
        return places.insert(
          key, .ruled, isSignal: images.kind(at: frame.lookupAddress) == .signal, rule, saves)
      }
    }
  }
#endif
