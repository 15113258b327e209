#if arch(x86_64)
  import CUnwind
  import ProbeEvents
  import Recorder

  /// What libunwind's accessors work on: the registers and stack of whoever is asked, and unwind tables
  /// and code from the mapped files.
  class LibunwindLookup {
    final let images: SpaceImages
    /// The file whose unwind entries libunwind is looking through.
    private final var searched: SpaceImages.Mapped?
    /// Whether the last step found no unwind table for its frame.
    private final var missedTables = false

    init(images: SpaceImages) { self.images = images }

    /// A register by libunwind's number; nil when it is not known.
    func register(_ number: Int32) -> UInt64? { nil }

    /// A word of the stack, of a table or of code; nil when it is not known.
    func word(at address: Address) -> UInt64? { fileWord(at: address) }

    /// Whether the last step went by unwind tables and not by a guess.
    final var usedTables: Bool { !missedTables }

    final func beginStep() { missedTables = false }

    /// The entry for an instruction, into `info`.
    final func findProcedure(
      _ space: unw_addr_space_t?, _ address: Address,
      _ info: UnsafeMutablePointer<unw_proc_info_t>?, _ needsInfo: Int32,
      _ argument: UnsafeMutableRawPointer?
    ) -> Int32 {
      guard let mapped = images.mapped(at: address), let tables = mapped.image.tables else {
        missedTables = true
        return -Int32(UNW_ENOINFO.rawValue)
      }
      // Entries name a routine for exceptions by a word in the file's data. libunwind wants to see it,
      // though no step depends on it.
      searched = mapped
      defer { searched = nil }
      // The table lies within what `tableWord` knows; all pointers are libunwind's own.
      let result = unsafe cunw_search_table(
        space, address, mapped.area.start, mapped.area.end, tables.header &+ mapped.bias,
        tables.table &+ mapped.bias, UInt64(tables.count), info, needsInfo, argument)
      if result < 0 { missedTables = true }
      return result
    }

    /// A word that files have, whatever the hit.
    final func fileWord(at address: Address) -> UInt64? {
      if let word = images.fileWord(at: address) { return word }
      return searched.flatMap { $0.image.word(at: address &- $0.bias) }
    }
  }

  /// The registers and stack of a hit, from wherever a walk has come to.
  final class RecordedLookup: LibunwindLookup {
    let memory: HitMemory
    private var registers: WalkedRegisters
    private let instructionPointer: Address

    init(
      _ memory: HitMemory, _ images: SpaceImages, _ registers: WalkedRegisters,
      instructionPointer: Address
    ) {
      self.memory = memory
      self.registers = registers
      self.instructionPointer = instructionPointer
      super.init(images: images)
    }

    override func register(_ number: Int32) -> UInt64? {
      if number == Int32(LibunwindNumber.instructionPointer) { return instructionPointer }
      return number >= 0 && number < Int32(LibunwindNumber.instructionPointer)
        ? registers.value(UInt8(number), memory, images) : nil
    }

    override func word(at address: Address) -> UInt64? {
      guard memory.countAccess() else { return nil }
      if memory.isInWindow(address) { return memory.stackWord(at: address) }
      return fileWord(at: address) ?? WalkedRegisters.word(at: address, memory, images)
    }
  }

  /// libunwind's numbers of registers, which are DWARF's.
  enum LibunwindNumber {
    static let stackPointer: UInt8 = 7
    static let instructionPointer: UInt8 = 16
    /// Columns of a hit: ax, dx, cx, bx, si, di, bp, sp, r8 to r15, ip.
    static let columns = [0, 3, 2, 1, 4, 5, 6, 7, 12, 13, 14, 15, 16, 17, 18, 19, 8]
  }

  /// libunwind's accessors, on a ``LibunwindLookup``.
  enum LibunwindAccessors {
    private static let refused = -Int32(UNW_EINVAL.rawValue)

    private static func lookup(_ argument: UnsafeMutableRawPointer?) -> LibunwindLookup? {
      // The pointer that the engine passed to `cunw_init`; it keeps the object alive meanwhile.
      guard let argument = unsafe argument else { return nil }
      return unsafe Unmanaged<LibunwindLookup>.fromOpaque(argument).takeUnretainedValue()
    }

    static func make() -> unw_accessors_t {
      var accessors = unw_accessors_t()
      unsafe accessors.find_proc_info = { space, address, info, needsInfo, argument in
        unsafe LibunwindAccessors.lookup(argument)?
          .findProcedure(space, address, info, needsInfo, argument) ?? LibunwindAccessors.refused
      }
      // libunwind frees what its own search made.
      unsafe accessors.put_unwind_info = { _, _, _ in }
      unsafe accessors.get_dyn_info_list_addr = { _, _, _ in -Int32(UNW_ENOINFO.rawValue) }
      unsafe accessors.access_mem = { _, address, value, isWrite, argument in
        guard isWrite == 0, let word = unsafe LibunwindAccessors.lookup(argument)?.word(at: address)
        else { return LibunwindAccessors.refused }
        // libunwind's own variable.
        unsafe value?.pointee = word
        return 0
      }
      unsafe accessors.access_reg = { _, number, value, isWrite, argument in
        guard isWrite == 0,
          let register = unsafe LibunwindAccessors.lookup(argument)?.register(number)
        else { return LibunwindAccessors.refused }
        // libunwind's own variable.
        unsafe value?.pointee = register
        return 0
      }
      unsafe accessors.access_fpreg = { _, _, _, _, _ in LibunwindAccessors.refused }
      unsafe accessors.resume = { _, _, _ in LibunwindAccessors.refused }
      unsafe accessors.get_proc_name = { _, _, _, _, _, _ in LibunwindAccessors.refused }
      return accessors
    }
  }
#endif
