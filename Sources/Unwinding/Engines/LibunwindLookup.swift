#if arch(x86_64)
  import CUnwind
  import ProbeEvents
  import Recorder

  /// What libunwind's accessors work on while one stack is unwound.
  final class LibunwindLookup {
    let memory: HitMemory
    let images: SpaceImages
    /// Whether the last step found no unwind table for its frame.
    private var missedTables = false

    init(memory: HitMemory, images: SpaceImages) {
      self.memory = memory
      self.images = images
    }

    /// Whether the last step went by unwind tables and not by a guess.
    var usedTables: Bool { !missedTables }

    func beginStep() { missedTables = false }

    /// The entry for an instruction, into `info`.
    func findProcedure(
      _ space: unw_addr_space_t?, _ address: Address,
      _ info: UnsafeMutablePointer<unw_proc_info_t>?, _ needsInfo: Int32,
      _ argument: UnsafeMutableRawPointer?
    ) -> Int32 {
      guard let mapped = images.mapped(at: address), let tables = mapped.image.tables else {
        missedTables = true
        return -Int32(UNW_ENOINFO.rawValue)
      }
      // The table lies within what `tableWord` knows; all pointers are libunwind's own.
      let result = unsafe cunw_search_table(
        space, address, mapped.area.start, mapped.area.end, tables.header &+ mapped.bias,
        tables.table &+ mapped.bias, UInt64(tables.count), info, needsInfo, argument)
      if result < 0 { missedTables = true }
      return result
    }

    /// A word of the stack or of a table.
    func word(at address: Address) -> UInt64? {
      guard memory.countAccess() else { return nil }
      if memory.isInWindow(address) { return memory.stackWord(at: address) }
      if let word = images.tableWord(at: address) { return word }
      // Code is not at hand: what is in a mapping depends on the mappings alone, not on the hit.
      return images.map.area(at: address) == nil ? memory.stackWord(at: address) : nil
    }

    /// A register of the hit.
    func register(_ number: Int32) -> UInt64? {
      guard number >= 0, number < Self.columns.count else { return nil }
      return memory.register(Self.columns[Int(number)])
    }

    /// Columns by libunwind's numbers, which are DWARF's: ax, dx, cx, bx, si, di, bp, sp, r8 to r15,
    /// ip.
    private static let columns = [0, 3, 2, 1, 4, 5, 6, 7, 12, 13, 14, 15, 16, 17, 18, 19, 8]
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
