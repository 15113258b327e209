#if arch(x86_64)
  import ProbeEvents

  /// Registers and a stack that are made up so that from any value that comes out of a step, it can be
  /// told what it was made of: each register, and each word that is read, has a number of its own,
  /// far from all others.
  final class MadeUpLookup: LibunwindLookup {
    /// Where a value comes from.
    enum Source: Equatable {
      /// So far from a register of the callee.
      case register(UInt8, Int32)
      /// So far from what was in the word with this number.
      case word(Int, Int32)
    }

    /// What the registers and words are numbered from. No program can map anything there.
    private static let start: UInt64 = 0x9000_0000_0000_0000
    private static let spacing: UInt64 = 40
    private static let registers = 16
    /// Words of a stack that one step may read.
    private static let wordLimit = 64

    private let instructionPointer: Address
    private let shift: UInt64
    private var reads: [Address] = []
    /// Accesses left: tables may be made to go round in circles.
    private var accesses = HitMemory.accessLimit

    /// - Parameter isShifted: two sets of values differ in this, also in their alignment.
    init(_ instructionPointer: Address, _ images: SpaceImages, isShifted: Bool) {
      self.instructionPointer = instructionPointer
      shift = isShifted ? 0x35_1238 : 0
      super.init(images: images)
    }

    override func register(_ number: Int32) -> UInt64? {
      if number == Int32(LibunwindNumber.instructionPointer) { return instructionPointer }
      return number >= 0 && number < Self.registers ? value(Int(number)) : nil
    }

    override func word(at address: Address) -> UInt64? {
      accesses -= 1
      guard accesses > 0 else { return nil }
      if let word = fileWord(at: address) { return word }
      guard source(of: address) != nil else { return nil }
      if let known = reads.firstIndex(of: address) { return value(Self.registers + known) }
      guard reads.count < Self.wordLimit else { return nil }
      reads.append(address)
      return value(Self.registers + reads.count - 1)
    }

    /// What a value was made of; nil when it is not a made-up one and a fixed distance.
    func source(of value: UInt64) -> Source? {
      guard value >= Self.start else { return nil }
      let number = Int((value - Self.start) >> Self.spacing)
      guard number < Self.registers + reads.count,
        let distance = Int32(exactly: Int64(bitPattern: value &- self.value(number)))
      else { return nil }
      return number < Self.registers
        ? .register(UInt8(number), distance) : .word(number - Self.registers, distance)
    }

    /// The address of a word that was read.
    func address(ofWord word: Int) -> Address { reads[word] }

    private func value(_ number: Int) -> UInt64 {
      Self.start &+ UInt64(number) << Self.spacing &+ 1 << (Self.spacing - 1) &+ shift
    }
  }
#endif
