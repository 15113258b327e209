public import ProbeEvents
public import TapeFormat

/// A lawful random tape of any size, for load tests: threads that call, tail-call, return and
/// longjmp among probed functions as compiled programs do.
public struct SyntheticTape {
  /// What to make.
  public struct Parameters: Sendable {
    /// Same seed, same tape.
    public var seed: UInt64
    /// How many hits.
    public var hits: UInt64
    /// Architecture of the tape.
    public var architecture: Architecture
    /// How many probed functions.
    public var probes: Int
    /// How many threads.
    public var threads: Int
    /// Stack words in each window.
    public var windowWords: Int

    /// Parameters with the usual shape: 8 functions, 4 threads, 64-byte windows.
    public init(
      seed: UInt64, hits: UInt64, architecture: Architecture = .x86_64, probes: Int = 8,
      threads: Int = 4, windowWords: Int = 8
    ) {
      self.seed = seed
      self.hits = hits
      self.architecture = architecture
      self.probes = probes
      self.threads = threads
      self.windowWords = windowWords
    }
  }

  private static let process: Int32 = 4000
  private static let codeBase: Address = 0x5555_5555_4000
  private static let trampoline: Address = 0x7FFF_FFFF_E000

  private let parameters: Parameters
  private var random: SeededGenerator
  private var threads: [SyntheticThread] = []
  private var time: UInt64 = 1_000_000_000
  private var written: UInt64 = 0

  /// Prepares a tape.
  public init(_ parameters: Parameters) {
    precondition(parameters.probes > 0 && parameters.threads > 0 && parameters.windowWords > 0)
    self.parameters = parameters
    random = SeededGenerator(seed: parameters.seed)
    for index in 0..<parameters.threads {
      let identity = ThreadIdentity(process: Self.process, thread: Self.process + Int32(index))
      threads.append(
        SyntheticThread(
          identity: identity, stackTop: 0x7FFF_F000_0000 - UInt64(index) << 24,
          cpu: UInt16(index % 2)))
    }
  }

  /// The header that goes with the tape.
  public var header: TapeHeader {
    let release = parameters.architecture == .x86_64 ? "6.18.0" : "6.12.0"
    return TapeHeader(
      kernel: KernelFacts(architecture: parameters.architecture, release: release),
      probes: (0..<parameters.probes).map { index in
        Probe(
          path: "/synthetic/program", fileOffset: 0x1000 + UInt64(index) * 0x40,
          symbol: "f\(index)", wantsReturn: true)
      },
      command: ["synth", "--seed", "\(parameters.seed)", "--hits", "\(parameters.hits)"],
      stackBytes: UInt32(parameters.windowWords * 8), writer: "probetape synth")
  }

  /// Writes all hits and the trailer.
  public mutating func write(to writer: inout TapeWriter) throws(TapeError) {
    try writeStart(to: &writer)
    var current = 0
    while written < parameters.hits {
      if random.once(in: 16) { current = Int(random.below(UInt64(threads.count))) }
      try step(current, &writer)
    }
    try writer.finish(
      TapeTrailer(
        targetExit: .exited(0), entries: writer.entries, returns: writer.returns, lost: 0,
        endTime: time))
  }

  private mutating func writeStart(to writer: inout TapeWriter) throws(TapeError) {
    let main = threads[0].identity
    let uprobes = Mapping(
      process: Self.process, start: Self.trampoline, length: 0x1000, fileOffset: 0,
      path: Mapping.uprobesName)
    let program = Mapping(
      process: Self.process, start: Self.codeBase, length: 0x10000, fileOffset: 0,
      path: "/synthetic/program")
    var events: [SideEvent] = [.exec(main, "program"), .mapping(program), .mapping(uprobes)]
    for thread in threads.dropFirst() {
      let flags = TaskFork.cloneVM | 0x10000
      events.append(
        .fork(TaskFork(parent: main, child: thread.identity, cloneFlags: flags)))
    }
    for event in events { try writer.append(TimedSideEvent(time: time, event: event)) }
  }

  /// One thing a program does: mostly calls and returns, some tail calls, few longjmps.
  private mutating func step(_ thread: Int, _ writer: inout TapeWriter) throws(TapeError) {
    let depth = threads[thread].frames.count
    let owed = UInt64(threads[thread].frames.last?.probes.count ?? 0)
    // A chain returns at once, so it must fit into what is left of the tape.
    let mustCall = depth == 0 || owed > parameters.hits - written
    let wantsCall = mustCall || (depth < SyntheticThread.depthMax && random.once(in: 2))
    if wantsCall {
      try call(thread, &writer)
    } else if depth > 4, random.once(in: 256) {
      threads[thread].frames.removeLast(Int(random.below(4)) + 1)
    } else if random.once(in: 32), owed < UInt64(SyntheticThread.chainMax) {
      try tailCall(thread, &writer)
    } else {
      try returnFromCall(thread, &writer)
    }
  }

  private mutating func call(_ thread: Int, _ writer: inout TapeWriter) throws(TapeError) {
    let probe = UInt32(random.below(UInt64(parameters.probes)))
    let slot = threads[thread].nextSlot
    let caller = threads[thread].frames.last?.probes.last ?? 0
    let returnAddress = address(ofProbe: caller) + 8 + random.below(4) * 8
    let frameBytes = 16 + random.below(6) * 16
    fillFrame(thread, below: slot, words: Int(frameBytes / 8))
    if parameters.architecture == .x86_64 { threads[thread][word: slot] = returnAddress }
    threads[thread].frames.append(
      SyntheticThread.Frame(
        probes: [probe], slot: slot, returnAddress: returnAddress,
        calleeSlot: slot - frameBytes - 8))
    try entry(thread, probe, slot: slot, returnAddress: returnAddress, &writer)
  }

  /// Gives a new frame its locals: nothing, numbers, pointers to the stack; some stay what the last
  /// call left there.
  private mutating func fillFrame(_ thread: Int, below slot: Address, words: Int) {
    for word in 1...words {
      let address = slot - UInt64(word) * 8
      switch random.below(8) {
      case 0: break
      case 1, 2: threads[thread][word: address] = 0
      case 3, 4: threads[thread][word: address] = random.below(256)
      case 5, 6: threads[thread][word: address] = slot + random.below(8) * 8
      default: threads[thread][word: address] = 0x5555_5577_0000 + random.below(65_536) * 16
      }
    }
  }

  private mutating func tailCall(_ thread: Int, _ writer: inout TapeWriter) throws(TapeError) {
    let probe = UInt32(random.below(UInt64(parameters.probes)))
    let last = threads[thread].frames.count - 1
    threads[thread].frames[last].probes.append(probe)
    try entry(
      thread, probe, slot: threads[thread].frames[last].slot, returnAddress: Self.trampoline,
      &writer)
  }

  /// Writes an entry and sets the return address to the trampoline, as the kernel does after it.
  private mutating func entry(
    _ thread: Int, _ probe: UInt32, slot: Address, returnAddress: Address,
    _ writer: inout TapeWriter
  ) throws(TapeError) {
    let layout = parameters.architecture.registerLayout
    threads[thread].registers[layout.instructionPointer] = address(ofProbe: probe)
    threads[thread].registers[layout.stackPointer] = slot
    if let link = layout.linkRegister { threads[thread].registers[link] = returnAddress }
    try write(.entry, thread, probe, at: slot, &writer)
    if parameters.architecture == .x86_64 { threads[thread][word: slot] = Self.trampoline }
  }

  private mutating func returnFromCall(
    _ thread: Int, _ writer: inout TapeWriter
  ) throws(TapeError) {
    let frame = threads[thread].frames.removeLast()
    let layout = parameters.architecture.registerLayout
    let stackPointer = parameters.architecture == .x86_64 ? frame.slot + 8 : frame.slot
    threads[thread].registers[layout.instructionPointer] = frame.returnAddress
    threads[thread].registers[layout.stackPointer] = stackPointer
    if let link = layout.linkRegister { threads[thread].registers[link] = Self.trampoline }
    for probe in frame.probes.reversed() {
      try write(.return, thread, probe, at: stackPointer, &writer)
    }
  }

  private mutating func write(
    _ kind: HitKind, _ thread: Int, _ probe: UInt32, at stackPointer: Address,
    _ writer: inout TapeWriter
  ) throws(TapeError) {
    time += 200 + random.below(2800)
    threads[thread].registers[Int(random.below(7))] = random.next() >> 24
    let hit = Hit(
      kind: kind, cpu: threads[thread].cpu, probe: probe, thread: threads[thread].identity,
      time: time, function: address(ofProbe: probe), registers: threads[thread].registers)
    let window = threads[thread].window(at: stackPointer, words: parameters.windowWords)
    try writer.append(hit, window: window.span)
    written += 1
  }

  private func address(ofProbe probe: UInt32) -> Address {
    Self.codeBase + 0x1000 + UInt64(probe) * 0x40
  }
}
