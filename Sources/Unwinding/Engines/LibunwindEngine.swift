#if arch(x86_64)
  import CUnwind
  import ProbeEvents

  /// Unwinds with libunwind, for tapes of the architecture that this program runs on.
  ///
  /// libunwind asks for registers, memory and unwind tables through accessors, and gets recorded
  /// bytes and bytes of the mapped files; it sees nothing of any running process. What it does at a
  /// place in the code is learnt once (``RuleFinder``), and frames there are walked by that rule. From
  /// the first frame without a rule, libunwind itself goes on: code without tables is walked by the
  /// frame pointer, as far as what comes out makes sense.
  @safe final class LibunwindEngine: StackEngine {
    // An address space of libunwind's; made and destroyed here alone.
    private let space: OpaquePointer?
    private let accessors: UnsafeMutablePointer<unw_accessors_t>
    private var cursor = unw_cursor_t()
    private let finder: RuleFinder?
    private let placeLimit: Int
    private var spaces = RecentSpaces<RuleWalk>()
    private var registers = WalkedRegisters()

    /// - Parameters:
    ///   - learnsRules: otherwise libunwind itself makes every step.
    ///   - placeLimit: places of an address space whose rules are remembered.
    init(learnsRules: Bool = true, placeLimit: Int = 1 << 16) {
      self.placeLimit = placeLimit
      // The accessors live as long as the address space that keeps their address.
      unsafe accessors = .allocate(capacity: 1)
      unsafe accessors.initialize(to: LibunwindAccessors.make())
      unsafe space = cunw_create_space(accessors)
      var finder: RuleFinder?
      if let space = unsafe space {
        _ = unsafe cunw_forget(space)
        if learnsRules { finder = unsafe RuleFinder(space: space) }
      }
      self.finder = finder
    }

    deinit {
      // Made by `init` and not used again.
      if let space = unsafe space { unsafe cunw_destroy_space(space) }
      unsafe accessors.deallocate()
    }

    func unwind(
      _ memory: HitMemory, _ images: SpaceImages, number: UInt32, isEntry: Bool,
      into frames: inout [RawFrame]
    ) -> StackEnding {
      let first = memory.register(memory.layout.instructionPointer)
      frames.append(RawFrame(address: first, isExact: true))
      registers.begin(stackPointer: memory.stackPointer)
      if isEntry, images.kind(at: first) == .unknown {
        // A call has just pushed the return address; a frame pointer would skip the caller.
        guard let caller = memory.stackWord(at: memory.stackPointer) else { return .windowEnd }
        guard images.map.area(at: caller)?.isTrampoline == false else {
          return StackEnding(at: first, leadingTo: caller, memory, images)
        }
        registers.move(toStackPointer: memory.stackPointer &+ 8)
        frames.append(RawFrame(address: caller, isExact: false))
      }
      guard let finder else { return stepThrough(memory, images, from: frames.count - 1, &frames) }
      let walk = spaces.value(number) {
        RuleWalk(finder, images, FramePlaces(limit: placeLimit))
      } drop: { _ in
      }
      switch walk.walk(&registers, memory, into: &frames) {
      case .ended(let ending): return ending
      case .unruled(let frame): return stepThrough(memory, images, from: frame, &frames)
      }
    }

    /// Steps outwards with libunwind from a frame that `registers` is at.
    private func stepThrough(
      _ memory: HitMemory, _ images: SpaceImages, from frame: Int, _ frames: inout [RawFrame]
    ) -> StackEnding {
      let start = frames[frame]
      let lookup = RecordedLookup(
        memory, images, registers, instructionPointer: start.lookupAddress)
      // libunwind passes the pointer to the accessors during these calls only; `lookup` outlives
      // them.
      return withExtendedLifetime(lookup) {
        let argument = unsafe Unmanaged.passUnretained(lookup).toOpaque()
        guard let space = unsafe space, unsafe cunw_init(&cursor, space, argument) == 0
        else { return .noUnwindInformation }
        frames.removeLast(frames.count - 1 - frame)
        return step(lookup, into: &frames)
      }
    }

    /// Steps outwards from the frame that was added last.
    private func step(_ lookup: RecordedLookup, into frames: inout [RawFrame]) -> StackEnding {
      let images = lookup.images
      var stackPointer = registers.stackPointer
      while frames.count < StackLimit.frames {
        lookup.beginStep()
        let last = frames[frames.count - 1]
        // Code that cannot be looked at may do anything with its frame pointer.
        if images.mapped(at: last.address) == nil { return .noFile }
        let isInterrupted = images.kind(at: last.lookupAddress) == .signal
        // The cursor is whole: `cunw_init` filled it.
        let step = unsafe cunw_step(&cursor)
        var next: Address = 0
        let number = Int32(LibunwindNumber.instructionPointer)
        let hasNext = unsafe cunw_register(&cursor, number, &next) == 0
        if step < 0 || (step > 0 && !hasNext) {
          return StackEnding(at: last.address, leadingTo: nil, lookup.memory, images)
        }
        if step == 0 || next == 0 {
          return lookup.usedTables
            ? .complete : StackEnding(at: last.address, leadingTo: nil, lookup.memory, images)
        }
        let nextStackPointer = stackPointerOfFrame()
        guard images.map.area(at: next)?.isTrampoline == false,
          // A handler may run on a stack of its own, above or below; nothing else goes inwards.
          isInterrupted || nextStackPointer > stackPointer
        else { return StackEnding(at: last.address, leadingTo: next, lookup.memory, images) }
        stackPointer = nextStackPointer
        frames.append(RawFrame(address: next, isExact: isInterrupted))
      }
      return .frameLimit
    }

    private func stackPointerOfFrame() -> Address {
      var value: Address = 0
      // The cursor is whole; where the register is not known, any next frame will do.
      return unsafe cunw_register(&cursor, Int32(LibunwindNumber.stackPointer), &value) == 0
        ? value : 0
    }
  }
#endif
