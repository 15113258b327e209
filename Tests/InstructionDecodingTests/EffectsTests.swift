import ProbeEvents
import Testing

@testable import InstructionDecoding

@Suite("Instruction effects")
struct EffectsTests {
  private func written(_ bytes: [UInt8], _ architecture: Architecture = .x86_64) throws -> Set<
    String
  > {
    guard let decoder = InstructionDecoder(architecture) else { throw NoDecoder() }
    let decoded = decoder.effects(bytes)
    let effects = try #require(decoded)
    let names = architecture.registerLayout.names
    return Set(names.indices.filter(effects.mayWrite).map { names[$0] })
  }

  @Test("named registers, implied ones and flags may be written, addresses are only read")
  func x86() throws {
    // mov 8(%rbx),%ax
    #expect(try written([0x66, 0x8b, 0x43, 0x08]) == ["ax"])
    // add %r9b,(%rcx)
    #expect(try written([0x44, 0x00, 0x09]) == ["r9", "flags"])
    // cpuid
    #expect(try written([0x0f, 0xa2]).isSuperset(of: ["ax", "bx", "cx", "dx"]))
    // push %rbp; pop %rbp
    #expect(try written([0x55]).contains("sp"))
    #expect(try written([0x5d]).isSuperset(of: ["bp", "sp"]))
    // movsb
    #expect(try written([0xa4]).isSuperset(of: ["si", "di"]))
    // setne %cl
    #expect(try written([0x0f, 0x95, 0xc1]).contains("cx"))
    // movups (%rax),%xmm0
    #expect(try written([0x0f, 0x10, 0x00]) == [])
  }

  @Test("on arm64 as well")
  func arm64() throws {
    // ldr w3,[x1],#4 writes its base back
    #expect(try written([0x23, 0x44, 0x40, 0xb8], .aarch64).isSuperset(of: ["x3", "x1"]))
    // mov x29,sp
    #expect(try written([0xfd, 0x03, 0x00, 0x91], .aarch64).contains("x29"))
    // ldr x0,[x19]
    #expect(try written([0x60, 0x02, 0x40, 0xf9], .aarch64) == ["x0"])
  }

  @Test("what goes elsewhere is told")
  func flow() throws {
    guard let decoder = InstructionDecoder(.x86_64) else { throw NoDecoder() }
    for bytes in [[0xc3], [0xe8, 0, 0, 0, 0], [0x74, 2], [0xff, 0xe0], [0xcd, 0x80]] as [[UInt8]] {
      let changesFlow = decoder.effects(bytes)?.changesFlow
      #expect(changesFlow == true, "\(bytes)")
    }
    let nop = decoder.effects([0x90])
    #expect(nop?.changesFlow == false)
    let nothing = decoder.effects([0x06])
    #expect(nothing == nil)
  }
}
