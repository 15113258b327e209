public import ProbeEvents
public import TapeFormat

/// Writes small tapes by hand, hit for hit, for tests of handlers and of the replay itself.
///
/// The builder keeps the words of the stacks, so that windows show what a kernel would have sampled;
/// it has no notion of return instances. What returns, and to where, the author says.
public struct TapeBuilder {
  /// Address of the trampoline in every process of the tape.
  public static let trampoline: Address = 0x7FFF_FFFF_E000
  /// The thread that hits belong to unless another is named.
  public static let mainThread = ThreadIdentity(process: 100, thread: 100)

  private let output = MemoryTapeOutput()
  private let functions: [String]
  private let architecture: Architecture
  private let windowWords: Int
  private var writer: TapeWriter
  private var words: [Int32: [Address: UInt64]] = [:]
  private var time: UInt64 = 1_000

  /// A tape of a kernel with the named functions probed, entry and return.
  public init(
    functions: [String], release: String = "6.18.0", architecture: Architecture = .x86_64,
    windowWords: Int = 8, wholeFrom: UInt64 = 0, withTrampoline: Bool = true,
    entryOnly: Set<String> = []
  ) throws(TapeError) {
    self.functions = functions
    self.architecture = architecture
    self.windowWords = windowWords
    let probes = functions.enumerated().map { index, name in
      Probe(
        path: "/program", fileOffset: 0x1000 + UInt64(index) * 0x100, symbol: name,
        wantsReturn: !entryOnly.contains(name))
    }
    let header = TapeHeader(
      kernel: KernelFacts(architecture: architecture, release: release), probes: probes,
      command: ["/program"], stackBytes: UInt32(windowWords * 8), wholeFrom: wholeFrom)
    writer = try TapeWriter(header: header, output: output)
    try event(.exec(Self.mainThread, "program"))
    if withTrampoline { try event(.mapping(Self.uprobes(of: Self.mainThread.process))) }
  }

  /// The mapping of the trampoline's page in a process.
  public static func uprobes(of process: Int32) -> Mapping {
    Mapping(
      process: process, start: trampoline, length: 0x1000, fileOffset: 0,
      path: Mapping.uprobesName)
  }

  /// Where a function is probed.
  public func address(of function: String) -> Address {
    0x40_1000 + UInt64(index(of: function)) * 0x100
  }

  /// An entry. `returnAddress` is what the program's call put there; the word at the stack pointer
  /// (or nothing, on link-register architectures) becomes the trampoline afterwards, unless
  /// `isHijacked` is false.
  public mutating func enter(
    _ function: String, sp: Address, returnAddress: Address, isHijacked: Bool = true,
    thread: ThreadIdentity = mainThread
  ) throws(TapeError) {
    var registers = RegisterFile()
    let layout = architecture.registerLayout
    registers[layout.instructionPointer] = address(of: function)
    registers[layout.stackPointer] = sp
    if let link = layout.linkRegister {
      registers[link] = returnAddress
    } else {
      words[thread.process, default: [:]][sp] = returnAddress
    }
    try hit(.entry, function, registers, sp, thread)
    if isHijacked, layout.linkRegister == nil {
      words[thread.process, default: [:]][sp] = Self.trampoline
    }
  }

  /// A return with the stack pointer after it, to an address.
  public mutating func leave(
    _ function: String, sp: Address, to address: Address, thread: ThreadIdentity = mainThread
  ) throws(TapeError) {
    var registers = RegisterFile()
    let layout = architecture.registerLayout
    registers[layout.instructionPointer] = address
    registers[layout.stackPointer] = sp
    if let link = layout.linkRegister { registers[link] = Self.trampoline }
    try hit(.return, function, registers, sp, thread)
  }

  /// Changes a stack word of a process, as its program would.
  public mutating func set(word: UInt64, at address: Address, process: Int32 = 100) {
    words[process, default: [:]][address] = word
  }

  /// Any side event.
  public mutating func event(_ event: SideEvent) throws(TapeError) {
    if case .fork(let fork) = event, fork.child.process != fork.parent.process {
      words[fork.child.process] = words[fork.parent.process]
    }
    try writer.append(TimedSideEvent(time: time, event: event))
  }

  /// Ends the current block.
  public mutating func endBlock() throws(TapeError) {
    try writer.flush()
  }

  /// The finished tape's bytes.
  public mutating func finish(
    _ targetExit: TargetExit = .exited(0), lost: UInt64 = 0
  ) throws(TapeError) -> [UInt8] {
    try writer.finish(
      TapeTrailer(
        targetExit: targetExit, entries: writer.entries, returns: writer.returns, lost: lost,
        endTime: time))
    return output.bytes
  }

  /// The tape's bytes as a recorder leaves them that was killed now.
  public mutating func abandon() throws(TapeError) -> [UInt8] {
    try writer.flush()
    return output.bytes
  }

  private func index(of function: String) -> Int {
    guard let index = functions.firstIndex(of: function) else {
      preconditionFailure("the tape has no probe on \(function)")
    }
    return index
  }

  private mutating func hit(
    _ kind: HitKind, _ function: String, _ registers: RegisterFile, _ sp: Address,
    _ thread: ThreadIdentity
  ) throws(TapeError) {
    time += 100
    let hit = Hit(
      kind: kind, cpu: 0, probe: UInt32(index(of: function)), thread: thread, time: time,
      function: address(of: function), registers: registers)
    let window = (0..<windowWords).map { words[thread.process]?[sp + UInt64($0) * 8] ?? 0 }
    try writer.append(hit, window: window.span)
  }
}
