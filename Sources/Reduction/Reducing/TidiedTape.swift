import ProbeEvents
import TapeFormat

/// The last step of a reduction: the stamp, and away with probes and mappings that nothing needs.
struct TidiedTape {
  private let excerpt: Excerpt
  private let kept: [Int]
  private let windowWords: Int?
  private let step: TapeDerivation

  init(_ excerpt: Excerpt, kept: [Int], windowWords: Int?, step: TapeDerivation) {
    self.excerpt = excerpt
    self.kept = kept
    self.windowWords = windowWords
    self.step = step
  }

  /// The tape; with all probes under their numbers unless it is to be bare.
  func tape(isBare: Bool) throws(TapeError) -> [UInt8] {
    var header = excerpt.header
    header.derivations.append(step)
    var items = excerpt.items
    if isBare {
      let used = usedProbes
      header.probes = used.map { header.probes[Int($0)] }
      renumber(&items, used)
    }
    let needed = neededMappings
    for (place, item) in items.enumerated().reversed() {
      guard case .event(let timed) = item, case .mapping(let mapping) = timed.event else {
        continue
      }
      // Places of kept hits must stay, so what is not needed becomes a mapping of nobody.
      if !needed.contains(mapping) { items[place] = .event(Self.nothing(timed.time)) }
    }
    let excerpt = Excerpt(header: header, items: items, trailer: excerpt.trailer)
    return try excerpt.tape(keeping: kept, windowWords: windowWords)
  }

  /// A side event that belongs to no thread that is kept.
  private static func nothing(_ time: UInt64) -> TimedSideEvent {
    TimedSideEvent(time: time, event: .exit(ThreadIdentity(process: -1, thread: -1)))
  }

  private var hits: [Hit] {
    kept.compactMap { place in
      if case .hit(let hit, _) = excerpt.items[place] { hit } else { nil }
    }
  }

  private var usedProbes: [UInt32] { Set(hits.map(\.probe)).sorted() }

  private func renumber(_ items: inout [RecordedItem], _ used: [UInt32]) {
    var numbers: [UInt32: UInt32] = [:]
    for (new, old) in used.enumerated() { numbers[old] = UInt32(new) }
    for (place, item) in items.enumerated() {
      guard case .hit(var hit, let window) = item else { continue }
      // Hits that are left out are read too, for what they left in the stack.
      hit.probe = numbers[hit.probe] ?? 0
      items[place] = .hit(hit, window: window)
    }
  }

  /// The trampolines' pages, and what the hits' addresses lie in.
  private var neededMappings: Set<Mapping> {
    let layout = excerpt.header.kernel.architecture.registerLayout
    var addresses: Set<Address> = []
    for place in kept {
      guard case .hit(let hit, let window) = excerpt.items[place] else { continue }
      addresses.formUnion([hit.function, hit.registers[layout.instructionPointer]])
      if let link = layout.linkRegister { addresses.insert(hit.registers[link]) }
      if hit.kind == .entry, let first = window.first { addresses.insert(first) }
    }
    let mappings = excerpt.items.compactMap { item -> Mapping? in
      guard case .event(let timed) = item, case .mapping(let mapping) = timed.event else {
        return nil
      }
      return mapping
    }
    return Set(
      mappings.filter { mapping in
        mapping.path == Mapping.uprobesName
          || addresses.contains { $0 >= mapping.start && $0 - mapping.start < mapping.length }
      })
  }
}
