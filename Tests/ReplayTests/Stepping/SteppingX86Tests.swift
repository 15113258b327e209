import ProbeEvents
import TapeFormat
import Testing

@testable import Replay

/// Stepped x86-64 instructions that no recording has, with tapes made by hand: what each does is what
/// the architecture's manual says.
@Suite("Stepping on x86-64")
struct SteppingX86Tests {
  static let layout = Architecture.x86_64.registerLayout
  static let base: Address = 0x40_0000
  static let stack: UInt64 = 0x7000

  /// An instruction, and two hits: at it and where it goes on.
  struct Case: CustomTestStringConvertible {
    var testDescription: String
    var bytes: [UInt8]
    var before: [String: UInt64] = [:]
    var window: [UInt64] = []
    var after: [String: UInt64] = [:]
    var windowAfter: [UInt64] = []
    /// Another place that is probed.
    var alsoProbed: Int64?
    /// How far it goes on; nil for behind itself.
    var distance: Int64?
    /// Registers whose values do not follow from the tape.
    var unknown: [String] = []
    var release = "6.18.0"
    /// Whether it is one of a 32-bit program.
    var isCompat = false

    init(
      _ text: String, _ bytes: [UInt8], before: [String: UInt64] = [:], window: [UInt64] = [],
      after: [String: UInt64] = [:], windowAfter: [UInt64] = [], distance: Int64? = nil,
      unknown: [String] = [], release: String = "6.18.0"
    ) {
      testDescription = text
      self.bytes = bytes
      self.before = before
      self.window = window
      self.after = after
      self.windowAfter = windowAfter
      self.distance = distance
      self.unknown = unknown
      self.release = release
    }

    /// The tape; `change` changes the second hit.
    func tape(_ change: (inout Hit, inout [UInt64]) -> Void = { _, _ in }) throws -> RewrittenTape {
      let there = Int64(0x100) + (distance ?? Int64(bytes.count))
      let others = [Int64(bytes.count), alsoProbed ?? 0].map { $0 + 0x100 }
      let offsets = Set(others + [there]).subtracting([0x100]).sorted()
      let probes =
        [Probe(path: "/p", fileOffset: 0x100, wantsReturn: false, originalBytes: bytes)]
        + offsets.map {
          Probe(
            path: "/p", fileOffset: UInt64($0), wantsReturn: false, originalBytes: [0x90])
        }
      var tape = RewrittenTape(
        header: TapeHeader(
          kernel: KernelFacts(architecture: .x86_64, release: release), probes: probes,
          command: ["/p"], stackBytes: 64))
      var registers = RegisterFile()
      registers[layout.stackPointer] = stack
      let values = [before, before.merging(after) { $1 }]
      for (index, place) in [0x100, there].enumerated() {
        for (name, value) in values[index] {
          registers[try #require(layout.names.firstIndex(of: name))] = value
        }
        registers[layout.instructionPointer] = base + UInt64(place)
        let probe = try #require(probes.firstIndex { $0.fileOffset == UInt64(place) })
        var hit = Hit(
          kind: .entry, cpu: 0, probe: UInt32(probe),
          thread: ThreadIdentity(process: 7, thread: 7), time: UInt64(index),
          function: base + UInt64(place), registers: registers)
        if isCompat { hit.flags.insert(.compat) }
        var words = index == 0 ? window : windowAfter
        if index == 1 { change(&hit, &words) }
        tape.items.append(.hit(hit, window: words))
      }
      return tape
    }
  }

  /// What counts as written, though it is only read or left alone, is said by the decoder's tables.
  static let loops: [Case] = [
    Case("loop goes on", [0xe2, 0x10], before: ["cx": 2], after: ["cx": 1], distance: 0x12),
    Case("loop ends", [0xe2, 0x10], before: ["cx": 1], after: ["cx": 0]),
    Case(
      "loope goes on with the zero flag", [0xe1, 0x10], before: ["cx": 2, "flags": 0x40],
      after: ["cx": 1], distance: 0x12),
    Case(
      "loope ends without", [0xe1, 0x10], before: ["cx": 2, "flags": 0x01], after: ["cx": 1]),
    Case(
      "loopne goes on without", [0xe0, 0x10], before: ["cx": 2, "flags": 0x01],
      after: ["cx": 1], distance: 0x12),
    Case(
      "loopne ends with it", [0xe0, 0x10], before: ["cx": 2, "flags": 0x40], after: ["cx": 1]),
    Case(
      "loopne ends with its counter", [0xe0, 0x10], before: ["cx": 1], after: ["cx": 0]),
    Case("jrcxz goes", [0xe3, 0x10], distance: 0x12),
    Case("jrcxz stays", [0xe3, 0x10], before: ["cx": 1]),
    Case(
      "rep lodsb comes back", [0xf3, 0xac], before: ["cx": 2], after: ["cx": 1, "si": 1],
      distance: 0, unknown: ["ax", "si", "flags"]),
    Case(
      "rep movsb ends", [0xf3, 0xa4], before: ["cx": 1],
      after: ["cx": 0, "si": 1, "di": 1], unknown: ["si", "di", "flags"]),
    Case(
      "rep lodsl comes back", [0xf3, 0xad], before: ["cx": 2], after: ["cx": 1, "si": 4],
      distance: 0, unknown: ["ax", "si", "flags"]),
    Case(
      "rep movsl ends", [0xf3, 0xa5], before: ["cx": 1],
      after: ["cx": 0, "si": 4, "di": 4], unknown: ["si", "di", "flags"]),
    Case("rep stosb without a count", [0xf3, 0xaa], unknown: ["di", "ax", "flags"]),
    Case("rep stosl without a count", [0xf3, 0xab], unknown: ["di", "ax", "flags"]),
    Case(
      "repne movsb ends", [0xf2, 0xa4], before: ["cx": 1],
      after: ["cx": 0, "si": 1, "di": 1], unknown: ["si", "di", "flags"]),
    Case(
      "movsw, which is not repeated", [0x66, 0xa5], before: ["cx": 5], after: ["si": 2, "di": 2],
      unknown: ["si", "di", "flags"]),
  ]

  static let sums: [Case] = [
    Case(
      "add $0x100,%rbx", [0x48, 0x81, 0xc3, 0, 1, 0, 0], before: ["bx": 5],
      after: ["bx": 0x105], unknown: ["flags"]),
    Case(
      "sub $1,%rbx", [0x48, 0x83, 0xeb, 1], after: ["bx": .max], unknown: ["flags"]),
    Case(
      "add %rbx,%rax", [0x48, 0x01, 0xd8], before: ["ax": 7, "bx": 5], after: ["ax": 12],
      unknown: ["flags"]),
    Case(
      "sub %rbx,%rax", [0x48, 0x29, 0xd8], before: ["ax": 7, "bx": 5], after: ["ax": 2],
      unknown: ["flags"]),
    Case(
      "add %rax,%rbx by the other form", [0x48, 0x03, 0xd8], before: ["ax": 7, "bx": 5],
      after: ["bx": 12], unknown: ["flags"]),
    Case(
      "sub %r8,%r15 by the other form", [0x4d, 0x2b, 0xf8], before: ["r8": 7, "r15": 9],
      after: ["r15": 2], unknown: ["flags"]),
    Case(
      "sub %ebx,%eax clears the upper half", [0x29, 0xd8], before: ["ax": 1 << 40, "bx": 1],
      after: ["ax": 0xffff_ffff], unknown: ["flags"]),
    Case(
      "cmp $1,%rbx, which is no sum", [0x48, 0x83, 0xfb, 1], before: ["bx": 5],
      unknown: ["flags", "bx"]),
  ]

  static let moves: [Case] = [
    Case(
      "lea 8(%r13,%r9,4),%rax", [0x4b, 0x8d, 0x44, 0x8d, 8], before: ["r13": 0x100, "r9": 2],
      after: ["ax": 0x110]),
    Case(
      "lea 0x10(,%rcx,4),%rax", [0x48, 0x8d, 0x04, 0x8d, 0x10, 0, 0, 0],
      before: ["cx": 2, "bp": 0x4000], after: ["ax": 0x18]),
    Case("lea (%rbx),%rax", [0x48, 0x8d, 0x03], before: ["bx": 0x100], after: ["ax": 0x100]),
    Case("lea 8(%rbp),%rax", [0x48, 0x8d, 0x45, 8], before: ["bp": 0x100], after: ["ax": 0x108]),
    Case("mov %r14,%rax", [0x4c, 0x89, 0xf0], before: ["r14": 9], after: ["ax": 9]),
    Case(
      "mov %eax,%r8d clears the upper half", [0x41, 0x89, 0xc0], before: ["ax": 1 << 40 | 5],
      after: ["r8": 5]),
    Case(
      "mov %bx,%ax keeps the rest, which is not worked out", [0x66, 0x89, 0xd8],
      before: ["ax": 1 << 40, "bx": 5], after: ["ax": 1 << 40 | 5], unknown: ["ax", "bx"]),
    Case(
      "xchg %r8d,%eax is not worked out", [0x41, 0x90], before: ["ax": 1, "r8": 2],
      after: ["ax": 2, "r8": 1], unknown: ["ax", "r8"], release: "7.2.0"),
    // An opcode like pop's.
    Case("vaddps %xmm1,%xmm0,%xmm0", [0xc5, 0xf8, 0x58, 0xc1]),
    Case("lea 8(%rsp),%rax", [0x48, 0x8d, 0x44, 0x24, 8], after: ["ax": stack + 8]),
    Case(
      "lea (%rax,%r12,2),%ecx", [0x42, 0x8d, 0x0c, 0x60], before: ["ax": 1 << 40, "r12": 3],
      after: ["cx": 6]),
    Case("mov $-1,%eax", [0xb8, 0xff, 0xff, 0xff, 0xff], after: ["ax": 0xffff_ffff]),
    Case(
      "movabs into %r8", [0x49, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8], after: ["r8": 0x0807_0605_0403_0201]),
    Case("mov %r10,%r11", [0x4d, 0x89, 0xd3], before: ["r10": 9], after: ["r11": 9]),
    Case("mov %r9,%rbx", [0x4c, 0x89, 0xcb], before: ["r9": 9], after: ["bx": 9]),
    Case(
      "mov %rbx,%r9 by the other form", [0x4c, 0x8b, 0xcb], before: ["bx": 9], after: ["r9": 9]),
    Case(
      "mov 4(%rsp),%eax", [0x8b, 0x44, 0x24, 4], window: [0x1234_5678_9abc_def0],
      after: ["ax": 0x1234_5678], windowAfter: [0x1234_5678_9abc_def0]),
    Case(
      "mov of a word elsewhere", [0x48, 0x8b, 0x03], before: ["bx": 0x100, "ax": 1],
      unknown: ["ax"]),
    Case(
      "xchg %r8,%rax, since it is no nop", [0x49, 0x90], before: ["ax": 1, "r8": 2],
      after: ["ax": 2, "r8": 1], release: "7.2.0"),
    Case(
      "leave", [0xc9], before: ["bp": stack + 8], window: [0, 0x42, 0],
      after: ["sp": stack + 16, "bp": 0x42]),
    Case(
      "leave to a frame that the window does not reach", [0xc9], before: ["bp": stack + 64],
      after: ["sp": stack + 72], unknown: ["sp", "bp"]),
    Case(
      "push of a word elsewhere", [0xff, 0x33], before: ["bx": 0x100],
      after: ["sp": stack - 8]),
    Case(
      "push of a word of the stack", [0xff, 0x74, 0x24, 8], window: [1, 2],
      after: ["sp": stack - 8], windowAfter: [2, 1, 2]),
    Case(
      "ret $0x10", [0xc2, 0x10, 0], window: [base + 0x140], after: ["sp": stack + 0x18],
      distance: 0x40),
    Case("pop %rsp", [0x5c], window: [0x7100], after: ["sp": 0x7100]),
  ]

  static let stacks: [Case] = [
    Case("push $0x10", [0x6a, 0x10], after: ["sp": stack - 8], windowAfter: [0x10]),
    Case(
      "push $0x1234", [0x68, 0x34, 0x12, 0, 0], after: ["sp": stack - 8], windowAfter: [0x1234]),
    // The step's own trap flag is among them.
    Case(
      "pushf", [0x9c], before: ["flags": 0x41], after: ["sp": stack - 8], windowAfter: [0x141]),
    Case("popf", [0x9d], window: [0x41], after: ["sp": stack + 8, "flags": 0x41]),
    Case(
      "rep ret", [0xf3, 0xc3], window: [base + 0x140], after: ["sp": stack + 8], distance: 0x40),
    Case("bnd jmp *%rax", [0xf2, 0xff, 0xe0], before: ["ax": base + 0x140], distance: 0x40),
    compatPop,
  ]

  /// Four bytes; what 32-bit programs do is not worked out when it is stepped.
  static let compatPop: Case = {
    var row = Case(
      "pop %eax of a 32-bit program", [0x58], window: [0x1_0000_0042],
      after: ["sp": stack + 4, "ax": 0x42], unknown: ["sp", "ax"])
    row.isCompat = true
    return row
  }()

  @Test(
    "registers are what the manual says, and no other value passes",
    arguments: loops + sums + moves + stacks)
  func effect(_ row: Case) throws {
    let conclusion = try replay(row.tape().bytes())
    #expect(conclusion.divergences == [])
    #expect(conclusion.evidence.steps == 1)
    for (column, name) in Self.layout.names.enumerated()
    where column != Self.layout.instructionPointer {
      let changed = try row.tape { hit, _ in hit.registers[column] ^= 0x40 }
      let isNoticed = try kinds(replay(changed.bytes())) == [.wrongStep]
      #expect(isNoticed != row.unknown.contains(name), "\(name)")
    }
  }

  @Test("a stored word of four or eight bytes is compared, and what is beside it is not")
  func stores() throws {
    // mov %eax,4(%rsp); mov %rax,(%rsp)
    let half = Case(
      "", [0x89, 0x44, 0x24, 4], before: ["ax": 0x12_3456_789a], window: [1],
      windowAfter: [0x3456_789a_0000_0001])
    let whole = Case(
      "", [0x48, 0x89, 0x04, 0x24], before: ["ax": 0x12_3456_789a], window: [1],
      windowAfter: [0x12_3456_789a])
    for row in [half, whole] { #expect(try kinds(replay(row.tape().bytes())) == []) }
    for bit in 0..<64 as Range<UInt64> {
      let changedHalf = try half.tape { _, window in window[0] ^= 1 << bit }
      #expect(try (kinds(replay(changedHalf.bytes())) == [.wrongStep]) == (bit >= 32))
      let changedWhole = try whole.tape { _, window in window[0] ^= 1 << bit }
      #expect(try kinds(replay(changedWhole.bytes())) == [.wrongStep])
    }
  }

  @Test("what is popped or returned to from beyond the window is not compared")
  func beyondWindow() throws {
    for bytes in [[0x58], [0xc3], [0x9d], [0xff, 0x24, 0x24]] as [[UInt8]] {
      let row = Case("", bytes, after: ["sp": Self.stack + 8, "ax": 1])
      let conclusion = try replay(row.tape().bytes())
      #expect(conclusion.divergences == [] && conclusion.evidence.steps == 0, "\(bytes)")
    }
  }

  @Test(
    "what enters the kernel, or is repeated by half a counter, is not followed",
    arguments: [
      [0x0f, 0x34], [0x0f, 0x05, 0x0f, 0x05], [0x0f, 0x05, 0x0f, 0x34], [0x67, 0xf3, 0xa4],
    ] as [[UInt8]])
  func notFollowed(bytes: [UInt8]) throws {
    let conclusion = try replay(Case("", bytes, after: ["sp": Self.stack + 8]).tape().bytes())
    #expect(conclusion.divergences == [] && conclusion.evidence.steps == 0)
  }

  @Test("which of two places a loop went to is compared")
  func otherWay() throws {
    for row in Self.loops where row.bytes[0] & 0xfc == 0xe0 {
      var wrong = row
      wrong.distance = row.distance == nil ? 0x12 : nil
      wrong.alsoProbed = 0x12
      let conclusion = try replay(wrong.tape().bytes())
      #expect(kinds(conclusion) == [.wrongStep], "\(row.testDescription)")
      #expect(conclusion.evidence.steps == 1)
    }
  }
}
