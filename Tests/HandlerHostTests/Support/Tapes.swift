import HandlerHost
import ProbeEvents
import ProbetapeTesting
import Replay
import TapeFormat
import Testing

/// One tape that a handler and the model are compared on.
struct Situation: CustomTestStringConvertible, Sendable {
  var testDescription: String
  var bytes: [UInt8]
}

/// Tapes on which every rule of the return-probe logic decides something.
enum Tapes {
  static let outer: Address = 0x40_0500
  static let inner: Address = 0x40_0600
  static let child = ThreadIdentity(process: 200, thread: 200)

  /// Random lawful tapes and those made by hand.
  static func all(_ architecture: Architecture) throws -> [Situation] {
    var situations: [Situation] = []
    for seed: UInt64 in 1...4 {
      let output = MemoryTapeOutput()
      var synthetic = SyntheticTape(
        SyntheticTape.Parameters(seed: seed, hits: 3000, architecture: architecture))
      var writer = try TapeWriter(header: synthetic.header, output: output)
      try synthetic.write(to: &writer)
      situations.append(Situation(testDescription: "synthetic \(seed)", bytes: output.bytes))
    }
    situations.append(Situation(testDescription: "chain", bytes: try chain(architecture)))
    situations.append(Situation(testDescription: "longjmp", bytes: try longjmp(architecture)))
    situations.append(Situation(testDescription: "fork", bytes: try fork(architecture)))
    situations.append(Situation(testDescription: "stray", bytes: try stray(architecture)))
    situations.append(Situation(testDescription: "stale", bytes: try stale(architecture)))
    situations.append(
      Situation(testDescription: "limit", bytes: try limitWithoutCleanUp(architecture)))
    situations.append(
      Situation(testDescription: "fork after", bytes: try forkAfterShared(architecture)))
    if architecture == .x86_64 {
      situations.append(Situation(testDescription: "32-bit", bytes: try compat()))
      situations.append(Situation(testDescription: "first word", bytes: try callAtFirstWord()))
    }
    return situations
  }

  private static func builder(_ architecture: Architecture) throws -> TapeBuilder {
    try TapeBuilder(functions: ["f", "g", "h"], architecture: architecture)
  }

  /// The stack pointer after a return through a slot.
  private static func after(_ slot: Address, _ architecture: Architecture) -> Address {
    architecture == .x86_64 ? slot + 8 : slot
  }

  /// f jumps to g, which jumps to h, which returns for all three.
  static func chain(_ architecture: Architecture) throws -> [UInt8] {
    var tape = try builder(architecture)
    try tape.enter("f", sp: 0x1000, returnAddress: outer)
    try tape.enter("g", sp: 0x1000, returnAddress: TapeBuilder.trampoline)
    try tape.enter("h", sp: 0x1000, returnAddress: TapeBuilder.trampoline)
    for function in ["h", "g", "f"] {
      try tape.leave(function, sp: after(0x1000, architecture), to: outer)
    }
    return try tape.finish()
  }

  /// g is left by a longjmp, once noticed at the return of f, once at a new call.
  static func longjmp(_ architecture: Architecture) throws -> [UInt8] {
    var tape = try builder(architecture)
    try tape.enter("f", sp: 0x1000, returnAddress: outer)
    try tape.enter("g", sp: 0x900, returnAddress: inner)
    try tape.leave("f", sp: after(0x1000, architecture), to: outer)
    try tape.enter("f", sp: 0x1000, returnAddress: outer)
    try tape.enter("g", sp: 0x900, returnAddress: inner)
    try tape.enter("h", sp: 0x980, returnAddress: inner + 8)
    try tape.leave("h", sp: after(0x980, architecture), to: inner + 8)
    try tape.leave("f", sp: after(0x1000, architecture), to: outer)
    return try tape.finish()
  }

  /// The child of a fork returns from the call it inherited, and the parent too.
  static func fork(_ architecture: Architecture) throws -> [UInt8] {
    var tape = try builder(architecture)
    try tape.enter("f", sp: 0x1000, returnAddress: outer)
    try tape.event(
      .fork(TaskFork(parent: TapeBuilder.mainThread, child: child, cloneFlags: 0)))
    try tape.leave("f", sp: after(0x1000, architecture), to: outer, thread: child)
    try tape.event(.exit(child))
    try tape.leave("f", sp: after(0x1000, architecture), to: outer)
    return try tape.finish()
  }

  /// The program jumps to the trampoline with nothing to return from.
  static func stray(_ architecture: Architecture) throws -> [UInt8] {
    var tape = try builder(architecture)
    try tape.enter("f", sp: 0x1000, returnAddress: outer)
    try tape.leave("f", sp: after(0x1000, architecture), to: outer)
    try tape.event(
      .signal(
        SignalDelivery(
          thread: TapeBuilder.mainThread, number: 4, code: 0x80, isHandled: false,
          instructionPointer: TapeBuilder.trampoline + 1, stackPointer: 0x1008)))
    return try tape.finish(.killed(4))
  }

  /// 63 calls left by a longjmp fill the list: a call from above them gets no instance.
  static func stale(_ architecture: Architecture) throws -> [UInt8] {
    var tape = try builder(architecture)
    try tape.enter("f", sp: 0x10000, returnAddress: outer)
    for index in 0..<63 {
      try tape.enter("g", sp: 0xF000 - UInt64(index) * 0x40, returnAddress: inner)
    }
    try tape.enter("h", sp: 0xF800, returnAddress: inner + 8, isHijacked: false)
    try tape.leave("f", sp: after(0x10000, architecture), to: outer)
    try tape.enter("h", sp: 0xF800, returnAddress: inner + 8)
    try tape.leave("h", sp: after(0xF800, architecture), to: inner + 8)
    return try tape.finish()
  }

  /// The list is full of calls that g made on a lower stack and left by a longjmp; a call on the
  /// upper stack gets no instance, and so drops none: g, which only looks dead from there, returns.
  static func limitWithoutCleanUp(_ architecture: Architecture) throws -> [UInt8] {
    var tape = try builder(architecture)
    try tape.enter("f", sp: 0x10000, returnAddress: outer)
    try tape.enter("g", sp: 0x3000, returnAddress: inner)
    for index in 0..<62 {
      try tape.enter("h", sp: 0x2F00 - UInt64(index) * 0x20, returnAddress: inner + 8)
    }
    try tape.enter("h", sp: 0xF800, returnAddress: inner + 16, isHijacked: false)
    try tape.leave("g", sp: after(0x3000, architecture), to: inner)
    try tape.leave("f", sp: after(0x10000, architecture), to: outer)
    return try tape.finish()
  }

  /// f, traced by one, is forked inside where g, traced by several, was before and is again.
  static func forkAfterShared(_ architecture: Architecture) throws -> [UInt8] {
    var tape = try builder(architecture)
    func callG(_ tape: inout TapeBuilder) throws {
      try tape.enter("g", sp: 0x1000, returnAddress: inner)
      try tape.leave("g", sp: after(0x1000, architecture), to: inner)
    }
    try callG(&tape)
    try tape.enter("f", sp: 0x1000, returnAddress: outer)
    try tape.event(
      .fork(TaskFork(parent: TapeBuilder.mainThread, child: child, cloneFlags: 0)))
    try tape.leave("f", sp: after(0x1000, architecture), to: outer, thread: child)
    try tape.event(.exit(child))
    try tape.leave("f", sp: after(0x1000, architecture), to: outer)
    try callG(&tape)
    return try tape.finish()
  }

  /// A call and its return in a 32-bit task, with another word right above the return address.
  static func compat() throws -> [UInt8] {
    let output = MemoryTapeOutput()
    let probe = Probe(path: "/program", fileOffset: 0x1000, symbol: "f", wantsReturn: true)
    var writer = try TapeWriter(
      header: TapeHeader(
        kernel: KernelFacts(architecture: .x86_64, release: "6.18.0"), probes: [probe],
        command: ["/program"], stackBytes: 16), output: output)
    let thread = TapeBuilder.mainThread
    let mapping = Mapping(
      process: thread.process, start: 0xF7FF_E000, length: 0x1000, fileOffset: 0,
      path: Mapping.uprobesName)
    for event: SideEvent in [.exec(thread, "program"), .mapping(mapping)] {
      try writer.append(TimedSideEvent(time: 1, event: event))
    }
    let words: [UInt64] = [0x1234_5678_0804_9100, 0]
    try writer.append(compatHit(.entry, sp: 0xFFFF_0000, ip: 0x0804_8000), window: words.span)
    try writer.append(compatHit(.return, sp: 0xFFFF_0004, ip: 0x0804_9100), window: words.span)
    try writer.finish(
      TapeTrailer(targetExit: .exited(0), entries: 1, returns: 1, lost: 0, endTime: 3))
    return output.bytes
  }

  private static func compatHit(_ kind: HitKind, sp: Address, ip: Address) -> Hit {
    var registers = RegisterFile()
    let layout = Architecture.x86_64.registerLayout
    registers[layout.stackPointer] = sp
    registers[layout.instructionPointer] = ip
    registers[layout.codeSegment ?? 0] = 0x23
    return Hit(
      kind: kind, flags: .compat, cpu: 0, probe: 0, thread: TapeBuilder.mainThread, time: 2,
      function: 0x0804_8000, registers: registers)
  }

  /// f calls g as its very first act, so that after the return the stack pointer is f's own slot.
  static func callAtFirstWord() throws -> [UInt8] {
    var tape = try builder(.x86_64)
    try tape.enter("f", sp: 0x1000, returnAddress: outer)
    try tape.enter("g", sp: 0xFF8, returnAddress: inner)
    try tape.leave("g", sp: 0x1000, to: inner)
    try tape.leave("f", sp: 0x1008, to: outer)
    return try tape.finish()
  }

  /// What a handler concluded about every hit, as text lines that can be compared.
  static func conclusions(_ bytes: [UInt8], library: HandlerLibrary) throws -> [String] {
    var lines: [String] = []
    var reader = try TapeReader(bytes: bytes)
    let end = try ForeignReplay.annotate(&reader, library: library, name: "same") { _, concluded in
      lines += concluded.map { "\($0)" }
    }
    return lines + ["\(end.verdict)"]
  }

  static func conclusions(_ bytes: [UInt8], model: HandlerChoice) throws -> [String] {
    var lines: [String] = []
    var reader = try TapeReader(bytes: bytes)
    let end = try TapeReplay.annotate(&reader, handler: model) { _, concluded in
      lines += concluded.map { "\($0)" }
    }
    return lines + ["\(end.verdict)"]
  }
}
