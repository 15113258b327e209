import KernelModel
import ProbeEvents
import Testing

@Suite("The kernel's text")
struct KernelTextTests {
  let fork = KprobeFixture.fork

  @Test func `a place is at the start of the function tracer's call, inside of it, or neither`() {
    var text = KprobeFixture.text()
    text.ftraceCalls = [fork..<fork + 5]
    for (offset, expected) in [
      (-1, .none), (0, .start), (1, .inside), (4, .inside), (5, .none),
    ] as [(Int64, KprobeSite.Ftrace)] {
      let address = fork &+ UInt64(bitPattern: offset)
      #expect(text.site(at: address, architecture: .x86_64).ftrace == expected, "\(offset)")
    }
  }

  @Test(arguments: KprobeEpoch.allCases)
  func `a probe inside of the tracer's call is refused until 5_17`(epoch: KprobeEpoch) {
    var text = KprobeFixture.text()
    text.ftraceCalls = [fork..<fork + 5]
    var fixture = KprobeFixture(epoch, text: text)
    let id = fixture.kernel.declare(Kprobe(address: fork + 1))
    #expect(fixture.missed(id) == 0)
    #expect(
      refusal { () throws(KprobeError) in try fixture.kernel.register(id) }
        == (epoch < .k10 ? .insideFtraceCall : nil))
  }

  @Test func `where no instruction is listed there is one that functions can begin with`() throws {
    var text = KprobeFixture.text()
    text.instructions = [:]
    var fixture = KprobeFixture(.k15, text: text)
    _ = try fixture.probe(fork)
    let push = try #require(fixture.entry(fork)?.instruction)
    // PUSH of the register BP: 50 plus the register's number, which is 5.
    #expect(push.opcode == 0x50 + 5)
    #expect(push.length == 1)

    var arm = KprobeFixture(.k15, .aarch64, text: text)
    _ = try arm.probe(fork)
    let word = try #require(arm.entry(fork)?.instruction.opcode)
    // ADD of an immediate, 64 bits: to the register it comes from, and nothing.
    #expect(word >> 22 == 0b1_0_0_100010_0)
    #expect(word & 31 == word >> 5 & 31)
    #expect(word >> 10 & 0xfff == 0)
  }

  @Test(
    arguments: [(Architecture.x86_64, 1, 5), (.aarch64, 4, 4)] as [(Architecture, UInt64, UInt64)])
  func `the tracer's call is as long as one instruction of it, and no byte of it is kept`(
    architecture: Architecture, before: UInt64, after: UInt64
  ) throws {
    var text = KprobeFixture.text()
    text.ftraceCalls = [fork..<fork + after]
    var fixture = KprobeFixture(.k15, architecture, text: text)
    _ = try fixture.probe(fork, [.pre, .post])
    let instruction = try #require(fixture.entry(fork)?.instruction)
    #expect(instruction.opcode == 0)
    #expect(instruction.length == after)
    var seen: [UInt64] = []
    var outcome = fixture.kernel.ftraceHit(
      fork, KprobeRegisters(instructionPointer: fork + after), on: &fixture.processor)
    while case .call(_, let registers) = outcome {
      seen.append(registers.instructionPointer - fork)
      outcome = fixture.kernel.handlerReturned(0, registers, on: &fixture.processor)
    }
    #expect(seen == [before, after])
  }

  @Test func `registers are zero unless given, and differ if one of them does`() {
    let plain = KprobeRegisters(instructionPointer: fork)
    #expect(plain.stackPointer == 0 && plain.stackWord == 0 && plain.flags == 0)
    #expect(!plain.isUser)
    #expect(plain.general.indices.allSatisfy { plain.general[$0] == 0 })
    #expect(plain == KprobeRegisters(instructionPointer: fork))
    var changes: [(inout KprobeRegisters) -> Void] = [
      { $0.instructionPointer += 1 }, { $0.stackPointer = 1 }, { $0.stackWord = 1 },
      { $0.flags = 1 }, { $0.isUser = true },
    ]
    for index in plain.general.indices { changes.append { $0.general[index] = 1 } }
    for change in changes {
      var other = plain
      change(&other)
      #expect(other != plain)
    }
  }
}
