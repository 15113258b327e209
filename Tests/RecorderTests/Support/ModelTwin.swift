import Foundation
import InstructionDecoding
import KernelModel
import ProbeEvents
import Recorder

/// The model of a kernel that knows one program's file, to do the same as the running one.
struct ModelTwin {
  static let inode: UInt64 = 1
  static let procInode: UInt64 = 2
  private static let base: UInt64 = 0x40_0000

  var kernel: Uprobes
  let sizeBytes: UInt64
  private let segments: [Segment]

  private struct Segment {
    var fileOffset: UInt64
    var address: UInt64
    var size: UInt64
    var isWritable: Bool
    var isExecutable: Bool
  }

  /// The newest rules that the running kernel's release has.
  init(_ program: Program) throws {
    let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: program.path)))
    sizeBytes = UInt64(bytes.count)
    guard let decoder = InstructionDecoder(.x86_64) else {
      throw Program.Failure(description: "no decoder")
    }
    segments = try Self.segments(of: program.path)
    var instructions: [UInt64: ProbedInstruction] = [:]
    for segment in segments where segment.isExecutable {
      for offset in segment.fileOffset..<min(segment.fileOffset + segment.size, sizeBytes) {
        instructions[offset] = decoder.decode(Array(bytes[Int(offset)...].prefix(16)))
      }
    }
    let release = try String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8)
    kernel = Uprobes(
      rules: UprobeRules(
        kernel: KernelFacts(
          architecture: .x86_64, release: release.trimmingCharacters(in: .newlines))),
      files: [
        ProbedFile(inode: Self.inode, sizeBytes: sizeBytes, instructions: instructions),
        ProbedFile(inode: Self.procInode, sizeBytes: 0, reader: .none),
      ])
  }

  /// A process that runs the program.
  mutating func addProcess() -> Int {
    let space = kernel.add(AddressSpace())
    for segment in segments {
      let skew = segment.address & 0xfff
      kernel.mapped(
        KernelModel.Mapping(
          start: Self.base + segment.address - skew,
          end: Self.base + (segment.address + segment.size + 0xfff) & ~0xfff, inode: Self.inode,
          fileOffset: segment.fileOffset - skew, isWritable: segment.isWritable),
        in: space)
    }
    return space
  }

  mutating func register(
    _ offset: UInt64, counter: UInt64 = 0, only spaces: [Int]? = nil
  ) throws -> Registration {
    try kernel.register(
      Consumer(
        hasHandler: true, hasReturnHandler: false, filter: spaces.map { .spaces($0) } ?? .none),
      inode: Self.inode, offset: offset, referenceCounterOffset: counter)
  }

  /// The number by which a probe would be refused; 0 when it would not be.
  func refusal(
    _ offset: UInt64, referenceCounter: UInt64 = 0, inode: UInt64 = ModelTwin.inode
  ) -> Int32 {
    var kernel = kernel
    do throws(UprobeRefusal) {
      _ = try kernel.register(
        Consumer(hasHandler: true, hasReturnHandler: false), inode: inode, offset: offset,
        referenceCounterOffset: referenceCounter)
      return 0
    } catch {
      return error.errno
    }
  }

  func hasBreakpoint(_ offset: UInt64, _ space: Int) -> Bool {
    address(of: offset).map { kernel.spaces[space].contents(at: $0) == .breakpoint } ?? false
  }

  func count(_ offset: UInt64, _ space: Int) -> Int? {
    address(of: offset).map { Int(kernel.spaces[space].counters[$0] ?? 0) }
  }

  private func address(of offset: UInt64) -> UInt64? {
    segments.first { $0.fileOffset <= offset && offset - $0.fileOffset < $0.size }.map {
      Self.base + $0.address + (offset - $0.fileOffset)
    }
  }

  private static func segments(of path: String) throws -> [Segment] {
    func number(_ text: Substring) -> UInt64 { UInt64(text.dropFirst(2), radix: 16) ?? 0 }
    return try Program.run(["readelf", "-lW", path]).split(separator: "\n").compactMap { line in
      let fields = line.split(separator: " ")
      guard fields.first == "LOAD", fields.count > 6 else { return nil }
      let flags = fields[6..<fields.count - 1].joined()
      return Segment(
        fileOffset: number(fields[1]), address: number(fields[2]), size: number(fields[4]),
        isWritable: flags.contains("W"), isExecutable: flags.contains("E"))
    }
  }
}
