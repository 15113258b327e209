import ProbeEvents
import TapeFormat

/// A part of a tape in memory, which by itself is a tape, and out of which smaller ones are made.
struct Excerpt {
  /// A call with all its hits, or a return whose entry the tape does not have.
  struct Call {
    var thread: ThreadIdentity
    var probe: UInt32
    /// Places of its hits among the items, the entry first: of returns there are several where a
    /// fork made copies of the call.
    var hits: [Int]
    /// The call it was entered in.
    var parent: Int?
    var depth: Int
  }

  let header: TapeHeader
  /// In the order of the tape.
  let items: [RecordedItem]
  let calls: [Call]
  /// Places of the signals among the items.
  let signals: [Int]
  let trailer: TapeTrailer
  /// The parent of each thread that was seen being made.
  let parents: [ThreadIdentity: ThreadIdentity]

  init(header: TapeHeader, items: [RecordedItem], trailer: TapeTrailer) {
    self.header = header
    self.items = items
    self.trailer = trailer
    var finder = CallFinder(header.kernel.architecture)
    for (place, item) in items.enumerated() { finder.add(item, at: place) }
    calls = finder.calls
    signals = finder.signals
    parents = finder.parents
  }

  /// Places of everything that may be left out by choice: hits and signals.
  var choices: [Int] { (calls.flatMap(\.hits) + signals).sorted() }

  /// The tape of what is kept, by place among the items.
  ///
  /// - Parameter windowWords: how many words of each window to keep; nil for all.
  func tape(keeping kept: [Int], windowWords: Int?) throws(TapeError) -> [UInt8] {
    let output = MemoryTapeOutput()
    var writer = try TapeWriter(header: header, output: output)
    var patch = SlotPatch(header)
    let isKept = mask(kept)
    let threads = threads(of: kept)
    let processes = Set(threads.map(\.process))
    for (place, item) in items.enumerated() {
      switch item {
      case .event(let timed):
        patch.follow(timed.event)
        if isKept[place] || belongs(timed.event, to: threads, processes) {
          try writer.append(timed)
        }
      case .hit(var hit, var window):
        guard isKept[place] else {
          patch.leaveOut(hit, firstWord: window.first)
          continue
        }
        if let windowWords { window = Array(window.prefix(windowWords)) }
        patch.keep(&hit, &window)
        try writer.append(hit, window: window.span)
      }
    }
    var trailer = trailer
    trailer.entries = writer.entries
    trailer.returns = writer.returns
    try writer.finish(trailer)
    return output.bytes
  }

  private func mask(_ kept: [Int]) -> [Bool] {
    var mask = [Bool](repeating: false, count: items.count)
    for place in kept { mask[place] = true }
    return mask
  }

  /// The threads of what is kept, and those they descend from.
  private func threads(of kept: [Int]) -> Set<ThreadIdentity> {
    var threads: Set<ThreadIdentity> = []
    for place in kept {
      var next = items[place].thread
      while let thread = next, threads.insert(thread).inserted { next = parents[thread] }
    }
    return threads
  }

  /// Whether an event goes with the threads that are kept: signals are a choice of their own.
  private func belongs(
    _ event: SideEvent, to threads: Set<ThreadIdentity>, _ processes: Set<Int32>
  ) -> Bool {
    switch event {
    case .mapping(let mapping): processes.contains(mapping.process)
    case .threadName(let thread, _), .exec(let thread, _), .exit(let thread),
      .attached(let thread):
      threads.contains(thread)
    case .fork(let fork): threads.contains(fork.child)
    case .signal, .witness: false
    case .lost: true
    }
  }
}

/// Finds the calls among items.
private struct CallFinder {
  private(set) var calls: [Excerpt.Call] = []
  private(set) var signals: [Int] = []
  private(set) var parents: [ThreadIdentity: ThreadIdentity] = [:]
  private var matcher: CallMatcher
  private let layout: RegisterLayout

  init(_ architecture: Architecture) {
    matcher = CallMatcher(architecture)
    layout = architecture.registerLayout
  }

  mutating func add(_ item: RecordedItem, at place: Int) {
    switch item {
    case .hit(let hit, _): add(hit, at: place)
    case .event(let timed): follow(timed.event, at: place)
    }
  }

  private mutating func add(_ hit: Hit, at place: Int) {
    let stackPointer = hit.registers[layout.stackPointer]
    switch hit.kind {
    case .entry:
      let parent = matcher.newest(hit.thread)
      calls.append(
        Excerpt.Call(
          thread: hit.thread, probe: hit.probe, hits: [place], parent: parent,
          depth: parent.map { calls[$0].depth + 1 } ?? 0))
      matcher.enter(
        hit.thread, probe: hit.probe, function: hit.function, slot: stackPointer,
        call: calls.count - 1)
    case .return:
      let call = matcher.leave(
        hit.thread, probe: hit.probe, function: hit.function, stackPointer: stackPointer,
        wordSize: hit.flags.contains(.compat) ? 4 : 8)
      if let call {
        calls[call].hits.append(place)
      } else {
        calls.append(
          Excerpt.Call(
            thread: hit.thread, probe: hit.probe, hits: [place], parent: nil, depth: 0))
      }
    }
  }

  private mutating func follow(_ event: SideEvent, at place: Int) {
    switch event {
    case .signal: signals.append(place)
    case .fork(let fork):
      parents[fork.child] = fork.parent
      matcher.fork(fork)
    case .exec(let thread, _), .exit(let thread): matcher.end(thread)
    case .mapping, .threadName, .lost, .attached, .witness: break
    }
  }
}
