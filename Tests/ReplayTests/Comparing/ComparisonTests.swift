import Glibc
import ProbeEvents
import ProbetapeTesting
import Replay
import TapeFormat
import Testing

/// Two recordings of one program that differ in all that differs from run to run are equal; any
/// other difference is found where it is.
@Suite struct ComparisonTests {
  /// What differs from run to run.
  struct Run {
    var process: Int32 = 100
    var code: Address = 0x5555_0000_0000
    var stack: Address = 0x7FFF_1000_0000
    var trampoline: Address = 0x7FFF_FFFF_E000
    var time: UInt64 = 1_000
    /// Which of the threads runs first between the steps.
    var isChildFirst = false
    /// Where the program goes another way.
    var change = Change.none
  }

  enum Change {
    case none, otherProbe, otherReturnAddress, deeperStack, oneCallMore, otherRegister
    case otherExit, otherSignal
  }

  /// A program with a main thread and one it makes.
  private func tape(_ run: Run) throws -> TemporaryFile {
    var writer = ComparedProgram(run)
    return TemporaryFile(try writer.bytes())
  }

  private func compare(
    _ first: Run, _ second: Run, withRegisters: Bool = false
  ) throws -> TapeComparison {
    let files = (try tape(first), try tape(second))
    return try TapeComparison(files.0.path, files.1.path, withRegisters: withRegisters)
  }

  private static let elsewhere = Run(
    process: 777, code: 0x5666_1234_5000, stack: 0x7FFD_8765_4320, trampoline: 0x7FFF_FFFF_D000,
    time: 99_000, isChildFirst: true)

  @Test(arguments: [false, true])
  func `another place, number, time and interleaving make no difference`(
    withRegisters: Bool
  ) throws {
    let comparison = try compare(Run(), Self.elsewhere, withRegisters: withRegisters)
    #expect(comparison.outcome == .equal)
    #expect(comparison.reason == nil)
    #expect(comparison.hits == (20, 20))
    #expect(comparison.threads == 2)
  }

  @Test(arguments: [
    (Change.otherProbe, "probe"), (.otherReturnAddress, "return address"),
    (.deeperStack, "stack pointer"),
  ])
  func `a planted difference is found at its hit, and named`(
    change: Change, word: String
  ) throws {
    var run = Self.elsewhere
    run.change = change
    let comparison = try compare(Run(), run)
    guard case .different(let found) = comparison.outcome else {
      Issue.record("equal")
      return
    }
    #expect(found.what.contains(word))
    #expect(found.thread == "0.0")
    // Each call has two hits. The third call of the child comes after five others, or after four
    // where the child goes first.
    #expect(found.firstHit == 10)
    #expect(found.secondHit == 8)
    #expect(found.lines.contains { $0.hasPrefix("- hit 10: -> f (program+0x1000") })
    #expect(found.lines.contains { $0.hasPrefix("+ hit 8: -> ") })
    // What came before in this thread, and what comes behind.
    #expect(found.lines.first?.hasPrefix("  hit ") == true)
    #expect(found.lines.last?.hasPrefix("  hit ") == true)
  }

  @Test func `a call more is shown as lines that only one has`() throws {
    var run = Run()
    run.change = .oneCallMore
    let comparison = try compare(Run(), run)
    guard case .different(let found) = comparison.outcome else {
      Issue.record("equal")
      return
    }
    #expect(!found.lines.contains { $0.hasPrefix("-") })
    #expect(found.lines.filter { $0.hasPrefix("+") }.count == 2)
  }

  @Test func `registers are compared by wish only`() throws {
    var run = Self.elsewhere
    run.change = .otherRegister
    #expect(try compare(Run(), run).outcome == .equal)
    guard case .different(let found) = try compare(Run(), run, withRegisters: true).outcome else {
      Issue.record("equal")
      return
    }
    #expect(found.what.contains("register bx"))
  }

  @Test func `signals and the end of the target are compared`() throws {
    var run = Self.elsewhere
    run.change = .otherExit
    guard case .different(let found) = try compare(Run(), run).outcome else {
      Issue.record("equal")
      return
    }
    #expect(found.what.contains("ended"))
    run.change = .otherSignal
    #expect(try compare(Run(), run).outcome != .equal)
  }

  @Test func `a tape that is cut off is compared as far as it goes, with a reason`() throws {
    var program = ComparedProgram(Run())
    let bytes = try program.bytes()
    let files = (TemporaryFile(bytes), TemporaryFile(Array(bytes.dropLast(5))))
    let comparison = try TapeComparison(files.0.path, files.1.path)
    #expect(comparison.reason?.contains("ends inside a record") == true)
  }
}

/// Writes the tape of one run of a program.
private struct ComparedProgram {
  private let run: ComparisonTests.Run
  private let output = MemoryTapeOutput()
  private var time: UInt64

  init(_ run: ComparisonTests.Run) {
    self.run = run
    time = run.time
  }

  private var main: ThreadIdentity { ThreadIdentity(process: run.process, thread: run.process) }
  private var child: ThreadIdentity {
    ThreadIdentity(process: run.process, thread: run.process + 3)
  }

  mutating func bytes() throws -> [UInt8] {
    let names = ["f", "g"]
    // The probe table need not be in the same order.
    let probes = (run.isChildFirst ? names.reversed() : names).map { name in
      Probe(
        path: "/program", fileOffset: name == "f" ? 0x1000 : 0x1100, symbol: name,
        wantsReturn: true)
    }
    let header = TapeHeader(
      kernel: KernelFacts(architecture: .x86_64, release: "6.18.0"), probes: probes,
      command: ["/program"], stackBytes: 8)
    var writer = try TapeWriter(header: header, output: output)
    try start(&writer)
    for number in 0..<5 {
      for isChild in run.isChildFirst ? [true, false] : [false, true] {
        try call(&writer, isChild: isChild, number, probes)
      }
    }
    let number: Int32 = run.change == .otherSignal ? 11 : 10
    try writer.append(
      TimedSideEvent(
        time: time,
        event: .signal(
          SignalDelivery(
            thread: main, number: number, code: 0, isHandled: true,
            instructionPointer: run.code + 0x1500, stackPointer: run.stack))))
    try writer.finish(
      TapeTrailer(
        targetExit: .exited(run.change == .otherExit ? 1 : 0), entries: writer.entries,
        returns: writer.returns, lost: 0, endTime: time))
    return output.bytes
  }

  private func start(_ writer: inout TapeWriter) throws {
    let program = Mapping(
      process: run.process, start: run.code, length: 0x10000, fileOffset: 0, path: "/program")
    let uprobes = Mapping(
      process: run.process, start: run.trampoline, length: 0x1000, fileOffset: 0,
      path: Mapping.uprobesName)
    let events: [SideEvent] = [
      .exec(main, "program"), .mapping(program), .mapping(uprobes),
      .fork(TaskFork(parent: main, child: child, cloneFlags: 0x3D0F00)),
    ]
    for event in events { try writer.append(TimedSideEvent(time: time, event: event)) }
  }

  private mutating func call(
    _ writer: inout TapeWriter, isChild: Bool, _ number: Int, _ probes: [Probe]
  ) throws {
    let thread = isChild ? child : main
    let isPlace = isChild && number == 2
    var symbol = number % 2 == 0 ? "f" : "g"
    if isPlace, run.change == .otherProbe { symbol = "g" }
    let top = run.stack - (isChild ? 0x100_0000 : 0)
    var sp = top - UInt64(number) * 0x40
    if isPlace, run.change == .deeperStack { sp -= 0x10 }
    var target = run.code + 0x2000 + UInt64(number)
    if isPlace, run.change == .otherReturnAddress { target += 1 }
    let count = isPlace && run.change == .oneCallMore ? 2 : 1
    for _ in 0..<count {
      try hit(&writer, .entry, symbol, probes, thread, sp: sp, target)
      try hit(&writer, .return, symbol, probes, thread, sp: sp + 8, target)
    }
  }

  private mutating func hit(
    _ writer: inout TapeWriter, _ kind: HitKind, _ symbol: String, _ probes: [Probe],
    _ thread: ThreadIdentity, sp: Address, _ target: Address
  ) throws {
    time += 50
    let layout = Architecture.x86_64.registerLayout
    let function = run.code + (symbol == "f" ? 0x1000 : 0x1100)
    var registers = RegisterFile()
    registers[layout.stackPointer] = sp
    registers[layout.instructionPointer] = kind == .entry ? function : target
    // A pointer into the program, one into the stack, and a number that says nothing.
    registers[1] = run.code + (run.change == .otherRegister ? 0x3008 : 0x3000)
    registers[6] = sp + 0x20
    registers[0] = time &* 12_345
    let probe = probes.firstIndex { $0.symbol == symbol } ?? 0
    let window: [UInt64] = [kind == .entry ? target : 0]
    try writer.append(
      Hit(
        kind: kind, cpu: 0, probe: UInt32(probe), thread: thread, time: time, function: function,
        registers: registers), window: window.span)
  }
}

/// A file that vanishes with this.
private final class TemporaryFile {
  let path: String

  init(_ bytes: [UInt8]) {
    path = "/tmp/probetape-comparison-test-\(UInt64.random(in: 0...(.max))).tape"
    do throws(TapeError) {
      try FileTapeOutput(path: path).write(bytes)
    } catch {
      Issue.record("cannot write \(path): \(error)")
    }
  }

  deinit {
    _ = unsafe unlink(path)
  }
}
