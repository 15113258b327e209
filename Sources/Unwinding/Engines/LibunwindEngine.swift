#if arch(x86_64)
  import CUnwind
  import ProbeEvents

  /// Unwinds with libunwind, for tapes of the architecture that this program runs on.
  ///
  /// libunwind asks for registers, memory and unwind tables through accessors, and gets recorded
  /// bytes and bytes of the mapped files; it sees nothing of any running process. Frames of code
  /// without tables are walked by the frame pointer, as far as what comes out makes sense.
  @safe final class LibunwindEngine: StackEngine {
    /// Instructions of one address space whose rules libunwind remembers; about 400 bytes each.
    private static let rulesKept: UInt = 4096

    // Each pointer is an address space of libunwind, made and destroyed here alone.
    private var spaces = unsafe RecentSpaces<OpaquePointer?>()
    private var accessors = LibunwindAccessors.make()
    private var cursor = unw_cursor_t()

    deinit {
      // Made by `space(_:)` and not used again.
      unsafe spaces.removeAll { if let space = unsafe $0 { unsafe cunw_destroy_space(space) } }
    }

    func unwind(
      _ memory: HitMemory, _ images: SpaceImages, number: UInt32, isEntry: Bool,
      into frames: inout [RawFrame]
    ) -> StackEnding {
      let layout = memory.layout
      let first = memory.register(layout.instructionPointer)
      frames.append(RawFrame(address: first, isExact: true))
      if isEntry, images.kind(at: first) == .unknown {
        // A call has just pushed the return address; a frame pointer would skip the caller.
        guard let caller = memory.stackWord(at: memory.stackPointer) else { return .windowEnd }
        guard images.map.area(at: caller) != nil else {
          return ending(at: first, leadingTo: caller, memory, images)
        }
        memory.restart(instructionPointer: caller, stackPointer: memory.stackPointer &+ 8)
        frames.append(RawFrame(address: caller, isExact: false))
      }
      let lookup = LibunwindLookup(memory: memory, images: images)
      // libunwind passes the pointer to the accessors during these calls only; `lookup` outlives
      // them.
      return withExtendedLifetime(lookup) {
        let argument = unsafe Unmanaged.passUnretained(lookup).toOpaque()
        guard let space = unsafe space(number),
          unsafe cunw_init(&cursor, space, argument) == 0
        else { return .noUnwindInformation }
        return walk(lookup, into: &frames)
      }
    }

    /// Steps outwards from the frame that was added last.
    private func walk(_ lookup: LibunwindLookup, into frames: inout [RawFrame]) -> StackEnding {
      var stackPointer = stackPointerOfFrame()
      while frames.count < StackLimit.frames {
        lookup.beginStep()
        let last = frames[frames.count - 1].address
        // Code that cannot be looked at may do anything with its frame pointer.
        if lookup.images.mapped(at: last) == nil { return .noFile }
        let isInterrupted = lookup.images.kind(at: last) == .signal
        // The cursor is whole: `cunw_init` filled it.
        let step = unsafe cunw_step(&cursor)
        var next: Address = 0
        let hasNext = unsafe cunw_instruction_pointer(&cursor, &next) == 0
        if step < 0 || (step > 0 && !hasNext) {
          return ending(at: last, leadingTo: nil, lookup.memory, lookup.images)
        }
        if step == 0 || next == 0 {
          return lookup.usedTables
            ? .complete : ending(at: last, leadingTo: nil, lookup.memory, lookup.images)
        }
        let nextStackPointer = stackPointerOfFrame()
        guard lookup.images.map.area(at: next)?.isTrampoline == false,
          // A handler may run on a stack of its own, above or below; nothing else goes inwards.
          isInterrupted || nextStackPointer > stackPointer
        else { return ending(at: last, leadingTo: next, lookup.memory, lookup.images) }
        stackPointer = nextStackPointer
        frames.append(RawFrame(address: next, isExact: isInterrupted))
      }
      return .frameLimit
    }

    private func stackPointerOfFrame() -> Address {
      var value: Address = 0
      // The cursor is whole; where the register is not known, any next frame will do.
      return unsafe cunw_stack_pointer(&cursor, &value) == 0 ? value : 0
    }

    /// Why there is nothing behind a frame.
    private func ending(
      at address: Address, leadingTo next: Address?, _ memory: HitMemory, _ images: SpaceImages
    ) -> StackEnding {
      if memory.ranOut { return .windowEnd }
      if let next, next != 0, images.map.area(at: next)?.isTrampoline == true {
        return .unknownTrampoline
      }
      return images.mapped(at: address) == nil ? .noFile : .noUnwindInformation
    }

    private func space(_ number: UInt32) -> OpaquePointer? {
      // Spaces are made and destroyed here alone; the accessors live as long as this object.
      unsafe spaces.value(number) {
        let space = unsafe cunw_create_space(&accessors)
        if let space = unsafe space { _ = unsafe cunw_cache(space, Self.rulesKept) }
        return unsafe space
      } drop: {
        if let space = unsafe $0 { unsafe cunw_destroy_space(space) }
      }
    }
  }
#endif
