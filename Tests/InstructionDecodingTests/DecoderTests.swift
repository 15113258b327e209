import KernelModel
import ProbeEvents
import Testing

@testable import InstructionDecoding

/// Capstone was built without the architecture.
struct NoDecoder: Error {}

@Suite("Instruction decoder")
struct DecoderTests {
  static func x86(_ bytes: [UInt8], isCompat: Bool = false) throws -> X86Encoding? {
    guard let decoder = InstructionDecoder(.x86_64, isCompat: isCompat) else { throw NoDecoder() }
    if case .x86(let encoding) = decoder.decode(bytes) { return encoding }
    return nil
  }

  @Test("an instruction is split into its parts")
  func parts() throws {
    // cs nopw 0x0(%rax,%rax,1)
    let nop = try #require(try Self.x86([0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0, 0xcc]))
    #expect(nop.prefixes == [0x66, 0x2e] && nop.opcode == [0x0f, 0x1f])
    #expect(nop.modRM == 0x84 && nop.sib == 0 && nop.bytes.count == 10 && nop.immediateBytes == 0)
    // movq $-1,0x11223344(%r9)
    let move = try #require(
      try Self.x86([0x49, 0xc7, 0x81, 0x44, 0x33, 0x22, 0x11, 0xff, 0xff, 0xff, 0xff]))
    #expect(move.rex == 0x49 && move.operandBytes == 8)
    #expect(move.displacement == 0x1122_3344 && move.immediate == -1 && move.immediateBytes == 4)
    // vpor %xmm1,%xmm0,%xmm2
    let or = try #require(try Self.x86([0xc5, 0xf9, 0xeb, 0xd1]))
    #expect(or.vex == [0xc5, 0xf9] && or.opcode == [0xeb] && or.modRM == 0xd1)
    // mulx 0x10(%rip),%ebx,%ecx
    let mulx = try #require(try Self.x86([0xc4, 0xe2, 0x63, 0xf6, 0x0d, 0x10, 0, 0, 0]))
    #expect(mulx.vex == [0xc4, 0xe2, 0x63] && mulx.displacement == 0x10)
    // palignr $3,%xmm1,%xmm0
    let align = try #require(try Self.x86([0x66, 0x0f, 0x3a, 0x0f, 0xc1, 0x03]))
    #expect(align.opcode == [0x0f, 0x3a, 0x0f] && align.immediate == 3)
    // mov 0x10(%rsp),%rax; mov 0x20,%eax by SIB without base
    #expect(try Self.x86([0x48, 0x8b, 0x44, 0x24, 0x10])?.displacement == 0x10)
    let absolute = try #require(try Self.x86([0x8b, 0x04, 0x25, 0x20, 0, 0, 0]))
    #expect(absolute.sib == 0x25 && absolute.displacement == 0x20)
    // jmp -128
    #expect(try Self.x86([0xeb, 0x80])?.immediate == -128)
  }

  @Test("the mode decides what bytes mean")
  func modes() throws {
    // inc %eax, or a REX prefix
    #expect(try Self.x86([0x40, 0x90], isCompat: true)?.bytes == [0x40])
    #expect(try Self.x86([0x40, 0x90])?.rex == 0x40)
    // les (%eax),%ecx, or VEX
    #expect(try Self.x86([0xc4, 0x08, 0x90, 0x90], isCompat: true)?.vex == [])
    #expect(try Self.x86([0xc5, 0xf9, 0xeb, 0xd1], isCompat: true)?.vex == [0xc5, 0xf9])
  }

  @Test("bytes that are no instruction, or only its beginning, are undecodable")
  func undecodable() throws {
    for bytes in [[], [0xe8, 0, 0], [0x66], [0x0f]] as [[UInt8]] {
      #expect(try Self.x86(bytes) == nil, "\(bytes)")
    }
    guard let arm = InstructionDecoder(.aarch64) else { throw NoDecoder() }
    #expect(arm.decode([0x1f, 0x20, 0x03]) == .undecodable)
    #expect(
      arm.decode([0x1f, 0x20, 0x03, 0xd5, 0xff])
        == .arm64(ARM64Instruction(rawValue: 0xd503_201f)))
  }

  @Test("an opcode that 64-bit mode has lost is one for the kernel, which refuses it by its table")
  func lost() throws {
    let rules = UprobeRules(epoch: .e8, architecture: .x86_64)
    for bytes in [[0x06], [0x66, 0x27], [0xd4, 0x0a]] as [[UInt8]] {
      let encoding = try #require(try Self.x86(bytes))
      #expect(throws: UprobeRefusal.unsupportedInstruction) {
        try rules.analyzeInstruction(.x86(encoding), at: 0x40_0000, isCompat: false)
      }
    }
    // In 32-bit mode it is an instruction.
    #expect(try Self.x86([0x06], isCompat: true)?.opcode == [0x06])
  }

  @Test("random bytes never trap the decoder or the analysis")
  func randomBytes() throws {
    guard let decoder = InstructionDecoder(.x86_64) else { throw NoDecoder() }
    guard let compat = InstructionDecoder(.x86_64, isCompat: true) else { throw NoDecoder() }
    let rules = Epoch.allCases.map { UprobeRules(epoch: $0, architecture: .x86_64) }
    var state: UInt64 = 42
    var decoded = 0
    for _ in 0..<20_000 {
      var bytes: [UInt8] = []
      while bytes.count < 16 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        bytes.append(UInt8(truncatingIfNeeded: state >> 56))
      }
      for instruction in [decoder.decode(bytes), compat.decode(bytes)] {
        guard case .x86(let encoding) = instruction else { continue }
        decoded += 1
        #expect(bytes.starts(with: encoding.bytes))
        for rule in rules {
          _ = try? rule.analyzeInstruction(instruction, at: state, isCompat: false)
        }
      }
    }
    #expect(decoded > 10_000)
  }
}
