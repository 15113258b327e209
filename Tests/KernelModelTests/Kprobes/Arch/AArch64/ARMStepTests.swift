import KernelModel
import ProbeEvents
import Testing

@Suite("Stepping on arm64")
struct ARMStepTests {
  static let fork = KprobeFixture.fork

  func fixture(
    _ word: UInt32, _ epoch: KprobeEpoch = .k10, literals: [Address: UInt64] = [:]
  ) -> (KprobeFixture, KprobeError?) {
    var text = KprobeFixture.text()
    text.instructions[Self.fork] = .arm(word)
    text.literals = literals
    var fixture = KprobeFixture(epoch, .aarch64, text: text)
    let id = fixture.kernel.declare(Kprobe(address: Self.fork, handlers: []))
    let error = refusal { () throws(KprobeError) in try fixture.kernel.register(id) }
    return (fixture, error)
  }

  @Test(
    "instructions are stepped, simulated or refused",
    arguments: [
      (0x9100_0400, "stepped"),  // add x0, x0, #1
      (0xf940_0000, "stepped"),  // ldr x0, [x0]
      (0xa9bf_7bfd, "stepped"),  // stp x29, x30, [sp, #-16]!
      (0xd503_201f, "stepped"),  // nop
      (0xd503_233f, "stepped"),  // paciasp
      (0xd503_245f, "stepped"),  // bti c
      (0xd503_3bbf, "stepped"),  // dmb ish
      (0xd53b_e040, "stepped"),  // mrs x0, cntvct_el0
      (0x1c00_0000, "stepped"),  // ldr s0, literal: not recognised as one
      (0xd503_205f, "refused"),  // wfe
      (0xd503_23bf, "refused"),  // autiasp
      (0xd53b_4220, "refused"),  // mrs x0, daif
      (0xd51b_4220, "refused"),  // msr daif, x0
      (0xd503_4fdf, "refused"),  // msr daifset, #15
      (0xd400_0001, "refused"),  // svc #0
      (0xd420_0080, "refused"),  // brk #4
      (0xd69f_03e0, "refused"),  // eret
      (0xd69f_0bff, "refused"),  // eretaa
      (0xd65f_0bff, "refused"),  // retaa
      (0xd71f_0800, "refused"),  // braa
      (0xd63f_081f, "refused"),  // blraaz
      (0xc85f_7c00, "refused"),  // ldxr x0, [x0]
      (0xc800_7c01, "refused"),  // stxr
      (0xd800_0000, "refused"),  // prfm literal
      (0x1400_0001, "simulated"),  // b
      (0x9400_0001, "simulated"),  // bl
      (0x5400_0020, "simulated"),  // b.eq
      (0x3400_0020, "simulated"),  // cbz w0
      (0xb500_0020, "simulated"),  // cbnz x0
      (0x3600_0020, "simulated"),  // tbz
      (0xb700_0020, "simulated"),  // tbnz
      (0xd61f_0000, "simulated"),  // br x0
      (0xd63f_03c0, "simulated"),  // blr x30
      (0xd65f_03c0, "simulated"),  // ret
      (0x1000_0000, "simulated"),  // adr
      (0x9000_0000, "simulated"),  // adrp
      (0x1800_0000, "simulated"),  // ldr w0, literal
      (0x5800_0000, "simulated"),  // ldr x0, literal
      (0x9800_0000, "simulated"),  // ldrsw x0, literal
    ] as [(UInt32, String)])
  func classes(word: UInt32, expected: String) {
    let (fixture, error) = fixture(word)
    let instruction = fixture.entry(Self.fork)?.instruction
    switch instruction?.execution {
    case .stepped:
      #expect(expected == "stepped")
      #expect(instruction?.slot == KprobeFixture.slots)
    case .simulated:
      #expect(expected == "simulated")
      #expect(instruction?.slot == nil)
    case nil:
      #expect(expected == "refused")
      #expect(error == .instructionRejected)
    case .fixedUp, .emulated, .ftrace: Issue.record("not on arm64")
    }
  }

  @Test("kprobes share the decoding of uprobes, but for loads of literals")
  func sharedDecoding() {
    let (nop, copy, literal, signed) =
      (0xd503_201f, 0x1901_0440, 0x5800_0040, 0x9800_0040) as (UInt32, UInt32, UInt32, UInt32)
    for (epoch, simulatesNop) in [(KprobeEpoch.k12, false), (.k13, true), (.k15, true)] {
      for (word, isSimulated) in [(nop, simulatesNop), (literal, true), (signed, true)] {
        let (fixture, error) = fixture(word, epoch)
        #expect(error == nil)
        #expect((fixture.entry(Self.fork)?.instruction.slot == nil) == isSimulated)
        #expect(fixture.entry(Self.fork)?.instruction.length == 4)
      }
      // Memory copies are refused since 6.12.
      #expect((fixture(copy, epoch).1 == .instructionRejected) == simulatesNop)
    }
  }

  @Test("a place must be aligned, without a fix-up, and not between an exclusive pair")
  func places() {
    for (meaning, expected) in [
      (TextMark.Meaning.exceptionTable, KprobeError.inExceptionTable),
      (.exclusiveSequence, .instructionRejected),
    ] {
      var text = KprobeFixture.text()
      text.marks = [TextMark(meaning, Self.fork..<Self.fork + 4)]
      for (architecture, error) in [(Architecture.aarch64, expected), (.x86_64, nil)]
        as [(Architecture, KprobeError?)]
      {
        var fixture = KprobeFixture(.k10, architecture, text: text)
        let id = fixture.kernel.declare(Kprobe(address: Self.fork))
        #expect(refusal { () throws(KprobeError) in try fixture.kernel.register(id) } == error)
      }
    }
    for offset in 1...4 as ClosedRange<UInt64> {
      var fixture = KprobeFixture(.k10, .aarch64)
      let id = fixture.kernel.declare(Kprobe(address: Self.fork + offset))
      let error = refusal { () throws(KprobeError) in try fixture.kernel.register(id) }
      #expect(error == (offset == 4 ? nil : .misaligned))
    }
  }

  /// Runs a simulated instruction.
  func simulate(
    _ word: UInt32, flags: UInt64 = 0, literals: [Address: UInt64] = [:],
    _ change: (inout KprobeRegisters) -> Void = { _ in }
  ) throws -> KprobeRegisters {
    var (fixture, error) = fixture(word, literals: literals)
    #expect(error == nil)
    var registers = fixture.trapped(at: Self.fork, flags: flags)
    change(&registers)
    let outcome = fixture.kernel.breakpoint(registers, on: &fixture.processor)
    #expect(fixture.processor.running == .none)
    return try #require(outcome.resumed)
  }

  @Test("branches go where they would have gone from their own place")
  func branches() throws {
    let forward = try simulate(0x1400_0004)
    #expect(forward.instructionPointer == Self.fork + 16)
    #expect(forward.general[30] == 0)
    let back = try simulate(0x97ff_ffff)
    #expect(back.instructionPointer == Self.fork - 4)
    #expect(back.general[30] == Self.fork + 4)
    let toLink = try simulate(0xd63f_03c0) { $0.general[30] = 0x1234 }
    #expect(toLink.instructionPointer == 0x1234)
    #expect(toLink.general[30] == Self.fork + 4)
    let through = try simulate(0xd61f_0060) { $0.general[3] = 0x5678 }
    #expect(through.instructionPointer == 0x5678)
    #expect(through.general[30] == 0)
    #expect(try simulate(0xd65f_03c0) { $0.general[30] = 0x9abc }.instructionPointer == 0x9abc)
    // Register 31 is the one that is always zero.
    #expect(try simulate(0xd61f_03e0) { $0.general[31] = 5 }.instructionPointer == 0)
  }

  @Test("compare and test branches look at their register, half of it or one bit of it")
  func registerBranches() throws {
    let wide: UInt64 = 1 << 32
    for (word, value, jumps) in [
      (0x3400_0101, 0, true), (0x3400_0101, 1, false), (0x3400_0101, wide, true),
      (0x3500_0101, 1, true), (0x3500_0101, wide, false), (0xb400_0101, wide, false),
      (0xb500_0101, wide, true), (0x3608_0101, 0, true), (0x3608_0101, 2, false),
      (0x3708_0101, 2, true), (0xb608_0101, 2 << 32, false), (0xb708_0101, 2 << 32, true),
      (0xb708_0101, 2, false), (0x3708_0101, 1, false),
    ] as [(UInt32, UInt64, Bool)] {
      let end = try simulate(word) { $0.general[1] = value }
      #expect(end.instructionPointer == Self.fork + (jumps ? 32 : 4), "\(word) \(value)")
    }
    #expect(try simulate(0x3407_ffff).instructionPointer == Self.fork + 0xfffc)
    #expect(try simulate(0x34ff_ffe0).instructionPointer == Self.fork - 4)
    #expect(try simulate(0x3604_0000).instructionPointer == Self.fork - 0x8000)
  }

  @Test("conditions are those of the architecture", arguments: 0..<16)
  func conditions(condition: Int) throws {
    for bits in 0..<16 {
      let (negative, zero) = (bits & 8 != 0, bits & 4 != 0)
      let (carry, overflow) = (bits & 2 != 0, bits & 1 != 0)
      let jumps: [Bool] = [
        zero, !zero, carry, !carry, negative, !negative, overflow, !overflow, carry && !zero,
        !carry || zero, negative == overflow, negative != overflow,
        !zero && negative == overflow, zero || negative != overflow, true, true,
      ]
      let end = try simulate(0x5400_0100 | UInt32(condition), flags: UInt64(bits) << 28)
      #expect(
        end.instructionPointer == Self.fork + (jumps[condition] ? 32 : 4),
        "\(condition) \(bits)")
    }
  }

  @Test("addresses and literals are those of the probed place")
  func addresses() throws {
    #expect(try simulate(0x3000_0021).general[1] == Self.fork + 5)
    #expect(try simulate(0x10ff_ffe1).general[1] == Self.fork - 4)
    #expect(try simulate(0xb000_0001).general[1] == Self.fork + 0x1000)
    #expect(try simulate(0x9000_0001).instructionPointer == Self.fork + 4)
    let literals: [Address: UInt64] = [Self.fork + 8: 0xffff_fffe_8000_0001]
    #expect(try simulate(0x1800_0041, literals: literals).general[1] == 0x8000_0001)
    #expect(try simulate(0x5800_0041, literals: literals).general[1] == 0xffff_fffe_8000_0001)
    #expect(try simulate(0x9800_0041, literals: literals).general[1] == 0xffff_ffff_8000_0001)
    let toZero = try simulate(0x5800_005f, literals: literals)
    #expect(toZero.general[31] == 0)
  }

  @Test("a simulated instruction has its post-handlers run at once")
  func simulatedHandlers() throws {
    var text = KprobeFixture.text()
    text.instructions[Self.fork] = .arm(0x1400_0004)
    var fixture = KprobeFixture(.k10, .aarch64, text: text)
    _ = try fixture.probe(Self.fork, [.pre, .post])
    let end = fixture.answer(fixture.hit(Self.fork))
    #expect(end.resumed?.instructionPointer == Self.fork + 16)
    #expect(fixture.log == ["pre 0", "post 0"])
  }

  @Test("interrupts are masked for a step and given back, by hardware only their own mask")
  func masks() throws {
    for epoch in KprobeEpoch.allCases {
      for flags in [0, 0x80, 0x3c0, 0x140] as [UInt64] {
        var (fixture, _) = fixture(0x9100_0400, epoch)
        let stepping = try #require(fixture.hit(Self.fork, flags: flags).resumed)
        #expect(stepping.instructionPointer == KprobeFixture.slots)
        let isHardware = epoch < .k6
        #expect(fixture.processor.isStepping == isHardware)
        if isHardware {
          // The debug mask would keep the step from happening.
          let debug: UInt64 = epoch < .k3 ? flags & 0x200 : 0
          #expect(stepping.flags == flags & ~0x280 | debug | 0x80 | 0x20_0000)
        } else {
          #expect(stepping.flags == flags | 0x3c0)
        }
        let end = try #require(fixture.endStep(stepping, length: 4).resumed)
        #expect(end.instructionPointer == Self.fork + 4)
        let own: UInt64 = isHardware ? 0x20_0200 : 0
        #expect(end.flags & ~own == flags & ~own)
        #expect(!fixture.processor.isStepping)
      }
    }
  }

  @Test("until 5.1 debug exceptions are unmasked for a re-entrant hit alone, and masked again")
  func debugMask() throws {
    var text = KprobeFixture.text()
    text.instructions[Self.fork] = .arm(0x9100_0400)
    for epoch in [KprobeEpoch.k1, .k3] {
      for faults in [false, true] {
        var fixture = KprobeFixture(epoch, .aarch64, text: text)
        _ = try fixture.probe(Self.fork)
        _ = try fixture.probe(KprobeFixture.read)
        _ = fixture.hit(KprobeFixture.read)
        let stepping = try #require(fixture.hit(Self.fork, flags: 0x200).resumed)
        #expect(stepping.flags & 0x200 == 0)
        let outcome =
          faults
          ? fixture.kernel.fault(stepping, on: &fixture.processor)
          : fixture.endStep(stepping, length: 4)
        let end = try #require(outcome.resumed ?? outcome.passedOn)
        #expect((end.flags & 0x200 != 0) == (epoch < .k3))
      }
    }
  }

  @Test("only the address behind the copy ends a step")
  func stepEnd() throws {
    for epoch in [KprobeEpoch.k1, .k4, .k10] {
      for distance in [0, 4, 8] as [UInt64] {
        var (fixture, _) = fixture(0x9100_0400, epoch)
        let stepping = try #require(fixture.hit(Self.fork).resumed)
        let outcome = fixture.endStep(stepping, length: distance)
        #expect((outcome == .declined) == (distance != 4))
      }
      var (fixture, _) = fixture(0x9100_0400, epoch)
      let registers = KprobeRegisters(instructionPointer: KprobeFixture.slots + 4)
      #expect(fixture.kernel.stepTrap(registers, on: &fixture.processor) == .declined)
    }
  }

  @Test("a step by hardware that ends after its probe was given up just goes on")
  func stepWithoutProbe() throws {
    var (fixture, _) = fixture(0x9100_0400, .k1)
    let stepping = try #require(fixture.hit(Self.fork).resumed)
    fixture.processor.resetRunning()
    let end = fixture.endStep(stepping, length: 4)
    #expect(end.resumed?.instructionPointer == KprobeFixture.slots + 4)
  }

  @Test("a stray breakpoint where a gone probe was passes its instruction over")
  func gone() throws {
    var (fixture, _) = fixture(0x9100_0400)
    fixture.kernel.freedInitialText(Self.fork..<Self.fork + 1)
    #expect(fixture.hit(Self.fork).resumed?.instructionPointer == Self.fork + 4)
  }

  @Test("a fault with a probe at address zero stops the kernel")
  func zero() throws {
    var fixture = KprobeFixture(.k10, .aarch64)
    let read = try fixture.probe(KprobeFixture.read)
    _ = fixture.answer(fixture.hit(KprobeFixture.read))
    // Its owner has cleared the address under the kernel's feet while a return handler runs.
    let returning = fixture.kernel.declareReturnProbe(symbol: "write")
    fixture.kernel.beginReturnHandler(returning, on: &fixture.processor)
    let registers = fixture.trapped(at: KprobeFixture.read)
    #expect(
      fixture.kernel.fault(registers, on: &fixture.processor) == .stop(.probeAtZero))
    #expect(fixture.missed(read) == 0)
  }

  @Test("a step ends once, and a literal that nobody described is zero")
  func once() throws {
    var (fixture, _) = fixture(0x9100_0400, .k1)
    var stepping = try #require(fixture.hit(Self.fork).resumed)
    stepping.instructionPointer += 4
    #expect(fixture.kernel.stepTrap(stepping, on: &fixture.processor).resumed != nil)
    #expect(fixture.kernel.stepTrap(stepping, on: &fixture.processor) == .declined)

    var (loading, _) = self.fixture(0x5800_0040)
    var registers = loading.trapped(at: Self.fork)
    registers.general[0] = 7
    let outcome = loading.kernel.breakpoint(registers, on: &loading.processor)
    #expect(outcome.resumed?.general[0] == 0)
  }
}
