public import ProbeEvents
public import Replay
import TapeFormat

/// Unwinds the user stacks of a tape's hits from their registers and stack windows.
///
/// Fed with the blocks of a tape in their order. The stacks are in ``table``, which only grows until
/// ``startAnew()``.
public struct Unwinder: ~Copyable {
  /// How many stacks were asked for, and how they were come by.
  public struct Counts: Sendable, Hashable {
    /// Hits that were to have a stack.
    public var hits: UInt64 = 0
    /// Of these, those whose stack was found among those unwound before.
    public var known: UInt64 = 0
    /// How many of the others end for each reason, by ``StackEnding/rawValue``.
    public var endings = [UInt64](repeating: 0, count: StackEnding.allCases.count)
  }

  /// The stacks.
  public private(set) var table = StackTable()
  /// What was done so far.
  public private(set) var counts = Counts()
  /// Files that could not be used and why.
  public var notes: [String] { files.notes }

  private let architecture: Architecture
  private let layout: RegisterLayout
  private let isAtFunctionStart: [Bool]
  let files: ImageStore
  private let memory: HitMemory
  private let engine: any StackEngine
  private var maps = ProcessMapTable()
  private var slots: SlotFollower
  private var memo = StackMemo()
  private var spaces = RecentSpaces<SpaceImages>()
  private var latest: (number: UInt32, images: SpaceImages)?
  private var frames: [RawFrame] = []
  private var nextHit: UInt64 = 0

  /// An unwinder for the tape with these probes, recorded on this kernel.
  public init(kernel: KernelFacts, probes: [Probe], search: ImageSearch) {
    self.init(kernel: kernel, probes: probes, search: search, engine: nil)
  }

  /// As above, with an engine of the caller's choice.
  init(kernel: KernelFacts, probes: [Probe], search: ImageSearch, engine: (any StackEngine)?) {
    architecture = kernel.architecture
    layout = architecture.registerLayout
    isAtFunctionStart = probes.map(\.isAtFunctionStart)
    files = ImageStore(search: search, kernel: kernel)
    memory = HitMemory(layout: layout)
    self.engine = engine ?? Self.engine(for: architecture)
    slots = SlotFollower(architecture: architecture, probes: probes)
  }

  /// Forgets all stacks: what ``table`` held is no longer referred to.
  public mutating func startAnew() {
    table.removeAll()
    memo.removeAll()
  }

  /// The stacks of a block's hits, which must have their registers, with what a replay concluded
  /// about them. ``table`` may start anew before a block, never within one.
  public mutating func stacks(
    of columns: HitColumns, _ conclusions: [AnnotatedConclusion]
  ) -> [StackReference] {
    precondition(columns.registers.count == columns.count * layout.count)
    var stacks: [StackReference] = []
    stacks.reserveCapacity(columns.count)
    follow(columns, conclusions) { unwinder, hit in
      stacks.append(unwinder.stack(columns, hit))
    }
    return stacks
  }

  /// Follows a block's hits and side events without unwinding anything.
  public mutating func skip(_ columns: HitColumns, _ conclusions: [AnnotatedConclusion]) {
    follow(columns, conclusions) { _, _ in }
  }

  /// Goes through a block. `body` is called for each hit before the hit itself is taken into account:
  /// what a hit shows is how it was until then.
  private mutating func follow(
    _ columns: HitColumns, _ conclusions: [AnnotatedConclusion],
    _ body: (inout Self, Int) -> Void
  ) {
    var next = 0
    for step in columns.order {
      let hit: Int
      switch step {
      case .event(let event):
        note(event.event)
        continue
      case .hit(let index): hit = index
      }
      var conclusion: AnnotatedConclusion?
      while next < conclusions.count, conclusions[next].hit == nextHit {
        conclusion = conclusions[next]
        next += 1
      }
      slots.prepare(
        columns.threadTable[Int(columns.threads[hit])], stackPointer: columns.stackPointers[hit],
        conclusion)
      body(&self, hit)
      note(columns, hit, conclusion)
      nextHit += 1
    }
  }

  private mutating func note(_ event: SideEvent) {
    maps.note(event)
    slots.note(event)
    latest = nil
  }

  /// Takes a hit into account.
  private mutating func note(
    _ columns: HitColumns, _ hit: Int, _ conclusion: AnnotatedConclusion?
  ) {
    let thread = columns.threadTable[Int(columns.threads[hit])]
    let start = Int(columns.windowStarts[hit])
    let isEmpty = start == Int(columns.windowStarts[hit + 1])
    let link = columns.linkRegisters.isEmpty ? nil : columns.linkRegisters[hit]
    slots.note(
      columns.kinds[hit], thread, probe: columns.probes[hit],
      stackPointer: columns.stackPointers[hit],
      returnAddress: link ?? (isEmpty ? nil : columns.windowWords[start]),
      trampoline: maps.trampoline(of: thread.process), conclusion)
  }

  private mutating func stack(_ columns: HitColumns, _ hit: Int) -> StackReference {
    let thread = columns.threadTable[Int(columns.threads[hit])]
    let images = images(of: thread.process)
    let words = Int(columns.windowStarts[hit])..<Int(columns.windowStarts[hit + 1])
    let window = columns.windowWords.span.extracting(words)
    let isCompat = columns.flags[hit].contains(.compat)
    let isMissing = columns.flags[hit].contains(.registersMissing)
    counts.hits += 1
    guard !isCompat, !isMissing else {
      return finish(
        isMissing ? [] : [RawFrame(address: columns.instructionPointers[hit], isExact: true)],
        .notUnwound, images.images)
    }
    let first = hit * layout.count
    let isEntry =
      columns.kinds[hit] == .entry && isAtFunctionStart[Int(columns.probes[hit])]
    return memory.withHit(
      registers: columns.registers.span.extracting(first..<first + layout.count), window: window,
      thread: thread, slots: slots.slots(of: thread.process),
      trampoline: images.images.map.trampoline
    ) {
      find(isEntry: isEntry, columns.instructionPointers[hit], images.number, images.images)
    }
  }

  private mutating func find(
    isEntry: Bool, _ instructionPointer: Address, _ number: UInt32, _ images: SpaceImages
  ) -> StackReference {
    if let known = memo.find(space: number, isEntry: isEntry, instructionPointer, memory) {
      counts.known += 1
      return known
    }
    memory.begin()
    frames.removeAll(keepingCapacity: true)
    let ending = engine.unwind(memory, images, number: number, isEntry: isEntry, into: &frames)
    let stack = finish(frames, ending, images)
    memo.insert(space: number, isEntry: isEntry, instructionPointer, memory, stack)
    return stack
  }

  /// Puts frames into the table.
  private mutating func finish(
    _ frames: [RawFrame], _ ending: StackEnding, _ images: SpaceImages
  ) -> StackReference {
    counts.endings[Int(ending.rawValue)] += 1
    var caller: StackReference = 0
    for raw in frames.reversed() where !table.isFull {
      let frame = images.frame(raw, in: &table)
      caller = table.reference(
        of: StackTable.Node(caller: caller, ending: caller == 0 ? ending : .complete, frame: frame))
    }
    return caller
  }

  private mutating func images(of process: Int32) -> (number: UInt32, images: SpaceImages) {
    let number = maps.number(of: process)
    if let latest, latest.number == number { return latest }
    let store = files
    let maps = maps
    let images = spaces.value(number) {
      SpaceImages(map: maps.map(of: process), store: store)
    } drop: { _ in
    }
    latest = (number, images)
    return (number, images)
  }

  private static func engine(for architecture: Architecture) -> any StackEngine {
    #if arch(x86_64)
      if architecture == .x86_64 { return LibunwindEngine() }
    #endif
    return LibdwEngine()
  }
}
