import Foundation
import ProbeEvents
import TapeFormat
import Testing

@testable import Recorder
@testable import Unwinding

/// What libunwind does at a place is learnt from its steps with made-up values. Here its steps with
/// other values, one by one, are held against the walks by those rules.
@Suite struct RuleTests {
  /// The code of this process: the tests, Swift's libraries, the C library and its loader.
  private static func code() -> [Mapping] {
    ProcessMaps.executable(of: getpid()).filter { $0.path.hasPrefix("/") }
  }

  private struct Walker {
    let memory = HitMemory(layout: Architecture.x86_64.registerLayout)
    let images: SpaceImages

    init(_ mappings: [Mapping]) {
      var map = ProcessMap()
      for mapping in mappings { map.add(mapping) }
      images = SpaceImages(
        map: map,
        store: ImageStore(
          search: ImageSearch(), kernel: KernelFacts(architecture: .x86_64, release: "6.12.0")))
    }

    func text(_ frames: [RawFrame]) -> [String] {
      frames.map { frame in
        let area = images.map.area(at: frame.address)
        let offset = frame.address - (area?.start ?? 0) + (area?.fileOffset ?? 0)
        return "\(area?.file.path ?? "")+\(String(offset, radix: 16))"
      }
    }

    func walk(
      _ engine: LibunwindEngine, _ registers: [UInt64], _ window: [UInt64], isEntry: Bool
    ) -> (frames: [RawFrame], ending: StackEnding, readings: Set<UInt64>) {
      var frames: [RawFrame] = []
      let ending = memory.withHit(
        registers: registers.span, window: window.span,
        thread: ThreadIdentity(process: 1, thread: 1), slots: ReturnSlots(), trampoline: 0
      ) {
        memory.begin()
        return engine.unwind(memory, images, number: 1, isEntry: isEntry, into: &frames)
      }
      return (frames, ending, Set(memory.readings.map(\.locus)))
    }
  }

  /// The second case forgets all rules before nearly every walk.
  @Test(arguments: [(1 << 16, 4000), (1, 1000)])
  func `walks by rules are what libunwind steps, from any code with any stack`(
    placeLimit: Int, walks: Int
  ) throws {
    let mappings = Self.code()
    #expect(mappings.contains { $0.path.contains("libc") })
    let walker = Walker(mappings)
    let layout = walker.memory.layout
    let byRules = LibunwindEngine(placeLimit: placeLimit)
    let bySteps = LibunwindEngine(learnsRules: false)
    var random = SystemRandomNumberGenerator()
    let stack: UInt64 = 0x7FFF_0000_0000
    func code() -> UInt64 {
      let mapping = mappings[Int.random(in: 0..<mappings.count, using: &random)]
      // The unwind entries of a linkage table go by the last digit of the address itself, and no call
      // returns into one: not there.
      return (mapping.start + UInt64.random(in: 16..<mapping.length, using: &random)) & ~15
        | UInt64.random(in: 1...8, using: &random)
    }
    func value(codeOfTen: Int) -> UInt64 {
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<codeOfTen: code()
      case codeOfTen..<9: stack + UInt64.random(in: 0..<600, using: &random) * 8
      default: random.next()
      }
    }
    var long = 0
    var endings: Set<StackEnding> = []
    for _ in 0..<walks {
      var registers = (0..<layout.count).map { _ in value(codeOfTen: 1) }
      registers[layout.instructionPointer] = code()
      registers[layout.stackPointer] = stack
      let window = (0..<512).map { _ in value(codeOfTen: 6) }
      let isEntry = Bool.random(using: &random)
      let one = walker.walk(byRules, registers, window, isEntry: isEntry)
      let other = walker.walk(bySteps, registers, window, isEntry: isEntry)
      let isSame =
        one.ending == other.ending
        && one.frames.map(\.address) == other.frames.map(\.address)
        && one.frames.map(\.isExact) == other.frames.map(\.isExact)
      try #require(
        isSame,
        "\(walker.text(one.frames)) \(one.ending), not \(walker.text(other.frames)) \(other.ending)"
      )
      // Known stacks are told apart by what was read: no less than libunwind needs.
      #expect(one.readings.isSubset(of: other.readings))
      if one.frames.count > 3 { long += 1 }
      endings.insert(one.ending)
    }
    #expect(long > walks / 40 && endings.count > 1)
  }
}
