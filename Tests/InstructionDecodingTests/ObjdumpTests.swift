import Foundation
import KernelModel
import ProbeEvents
import Testing

@testable import InstructionDecoding

/// A disassembler that shares nothing with us says where instructions end and what they are; what the
/// kernel does with them follows from their names.
@Suite("Decoding against objdump")
struct ObjdumpTests {
  /// An instruction as objdump prints it.
  struct Line {
    var address: UInt64
    var bytes: [UInt8]
    var text: String

    var mnemonic: Substring { text.split(separator: " ").first ?? "" }
  }

  static let objdump = "/usr/bin/objdump"

  static func lines(_ arguments: String...) throws -> [Line] {
    let process = Process()
    process.executableURL = URL(filePath: objdump)
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: output, as: UTF8.self).split(separator: "\n").compactMap { line in
      let cells = line.split(separator: "\t")
      guard cells.count == 3, let colon = cells[0].lastIndex(of: ":"),
        let address = UInt64(cells[0][..<colon].drop { $0 == " " }, radix: 16)
      else { return nil }
      let bytes = cells[1].split(separator: " ").compactMap { UInt8($0, radix: 16) }
      return Line(address: address, bytes: bytes, text: String(cells[2]))
    }
  }

  #if arch(x86_64)
    static let hasJudge = FileManager.default.isExecutableFile(atPath: objdump)
  #else
    static let hasJudge = false
  #endif

  /// What the kernel does with an instruction, from its name and operands alone.
  enum Kind: Equatable {
    case refused, nop, branch, call, push, step, ripRelative
  }

  static func expected(_ line: Line) -> Kind? {
    let words = line.text.split(separator: " ").map(String.init)
    let prefixes: Set<String> = ["lock", "cs", "ds", "es", "ss", "notrack"]
    if words.contains(where: prefixes.contains) { return .refused }
    if line.text.contains("%es:") || line.text.contains("%ds:") {
      // String instructions name their segments without a prefix.
      if !["stos", "movs", "scas", "cmps", "lods", "rep"].contains(where: line.text.contains) {
        return .refused
      }
    }
    switch line.mnemonic {
    case "hlt", "int3", "int", "int1", "cli", "sti", "in", "out", "iret", "(bad)": return .refused
    case "nop", "nopw", "nopl",
      "xchg" where words.last == "%ax,%ax":
      return .nop
    case "data16", "bnd", "rex.W", "repz", "repnz": return nil
    case "jmp": return words[1].hasPrefix("*") ? nil : .branch
    case "call": return words[1].hasPrefix("*") ? nil : .call
    case "push": return words[1].hasPrefix("%") && line.bytes.count <= 2 ? .push : nil
    default: break
    }
    // Vector instructions are told by a byte that means something else without their prefix.
    if line.mnemonic.hasPrefix("v") || line.mnemonic.hasPrefix("k") { return nil }
    if line.mnemonic.hasPrefix("j") { return .branch }
    if line.text.contains("(%rip)") { return .ripRelative }
    return nil
  }

  static func kind(_ instruction: ProbedInstruction) -> Kind {
    let rules = UprobeRules(epoch: .e8, architecture: .x86_64)
    do throws(UprobeRefusal) {
      guard
        case .x86(let treatment) = try rules.analyzeInstruction(
          instruction, at: 0x40_0000, isCompat: false)
      else { return .refused }
      switch treatment.execution {
      case .branch(0x90, _), .branch(0x0f, _): return .nop
      case .branch: return .branch
      case .call: return .call
      case .push: return .push
      case .step(let fixUps):
        let scratch: X86Treatment.FixUps = [.scratchSI, .scratchDI, .scratchBX]
        return fixUps.isDisjoint(with: scratch) ? .step : .ripRelative
      }
    } catch { return .refused }
  }

  @Test(
    "a whole program is cut at the same places, and each class is treated as its name says",
    .enabled(if: hasJudge, "needs objdump and a program for x86-64"))
  func program() throws {
    let lines = try Self.lines("-dw", "--section=.text", Self.objdump)
    #expect(lines.count > 10_000)
    guard let decoder = InstructionDecoder(.x86_64) else { throw NoDecoder() }
    let code = lines.flatMap(\.bytes)
    var seen: [String: Int] = [:]
    var at = 0
    var problems = 0
    for line in lines {
      defer { at += line.bytes.count }
      guard problems < 10, line.mnemonic != "(bad)" else { continue }
      let decoded = decoder.decode(Array(code[at..<min(at + 16, code.count)]))
      guard case .x86(let encoding) = decoded else {
        Issue.record("undecodable: \(line)")
        problems += 1
        continue
      }
      guard encoding.bytes == line.bytes else {
        Issue.record("another length, \(encoding.bytes.count): \(line)")
        problems += 1
        continue
      }
      guard let expected = Self.expected(line) else { continue }
      seen["\(expected)", default: 0] += 1
      if Self.kind(decoded) != expected {
        Issue.record("\(Self.kind(decoded)) instead of \(expected): \(line)")
        problems += 1
      }
      if case .call = expected, case .x86(let encoding) = decoded,
        let target = UInt64(String(line.text.split(separator: " ")[1]), radix: 16)
      {
        let end = line.address + UInt64(line.bytes.count)
        #expect(end &+ UInt64(bitPattern: encoding.immediate) == target)
      }
    }
    for kind in ["nop", "branch", "call", "push", "ripRelative"] {
      #expect(seen[kind, default: 0] > 20, "too few of \(kind) to say anything")
    }
  }
}
