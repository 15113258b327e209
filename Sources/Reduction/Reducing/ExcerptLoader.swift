import ProbeEvents
import TapeFormat

/// Reads the end of a tape before a divergence: the last hits, and the entries of those calls before
/// them that are still open. Calls that were over before have left nothing behind but their traces
/// in the stack, and those are taken away.
///
/// Memory is bounded by the hits that are wanted; the tape is read as a stream.
struct ExcerptLoader {
  let path: String
  /// The hit that diverges; hits behind it are left out, but for the rest of its chain.
  let hit: UInt64
  /// The thread that diverges.
  let thread: ThreadIdentity
  /// The returns behind the diverging one that belong to the same arrival at the trampoline: no
  /// kernel stops in the middle of a chain.
  private let rest: Set<UInt64>

  /// A loader for a divergence of a tape.
  init(path: String, hit: UInt64, thread: ThreadIdentity) throws(TapeError) {
    self.path = path
    self.hit = hit
    self.thread = thread
    rest = try Self.restOfChain(path, hit, thread)
  }

  /// The last hit that is wanted.
  private var lastHit: UInt64 { rest.max() ?? hit }

  /// The next returns of a thread at the stack pointer of a return; none when the hit is something
  /// else.
  private static func restOfChain(
    _ path: String, _ hit: UInt64, _ thread: ThreadIdentity
  ) throws(TapeError) -> Set<UInt64> {
    var reader = try TapeReader(path: path)
    var columns = HitColumns()
    var first: UInt64 = 0
    var rest: Set<UInt64> = []
    var stackPointer: Address?
    while true {
      switch try reader.next(into: &columns, selecting: .judged) {
      case .damage, .trailer, .end: return rest
      case .block:
        for index in 0..<columns.count where first + UInt64(index) >= hit {
          guard columns.threadTable[Int(columns.threads[index])] == thread else { continue }
          let number = first + UInt64(index)
          guard columns.kinds[index] == .return else { return rest }
          if number == hit {
            stackPointer = columns.stackPointers[index]
            continue
          }
          // Where the diverging hit is another thread's, there is no chain to end.
          guard columns.stackPointers[index] == stackPointer else { return rest }
          rest.insert(number)
        }
        first += UInt64(columns.count)
      }
    }
  }

  /// The excerpt with at least the given number of last hits.
  ///
  /// - Parameter withOthers: whether threads count that the diverging one does not descend from.
  func load(last wanted: Int, withOthers: Bool) throws(TapeError) -> Excerpt {
    let threads = withOthers ? nil : try lineage()
    let kept = try places(last: wanted, of: threads)
    return try excerpt(kept, of: threads)
  }

  /// The diverging thread and those it descends from.
  private func lineage() throws(TapeError) -> Set<ThreadIdentity> {
    var parents: [ThreadIdentity: ThreadIdentity] = [:]
    try read(selecting: .judged) { columns, _ in
      for side in columns.sideEvents {
        if case .fork(let fork) = side.event.event { parents[fork.child] = fork.parent }
      }
    }
    var threads: Set<ThreadIdentity> = []
    var next: ThreadIdentity? = thread
    while let known = next, threads.insert(known).inserted { next = parents[known] }
    return threads
  }

  /// Which hits to keep, by index on the tape.
  private func places(
    last wanted: Int, of threads: Set<ThreadIdentity>?
  ) throws(TapeError) -> Set<Int> {
    var chooser = HitChooser(
      try TapeReader(path: path).header.kernel.architecture, wanted: wanted, threads: threads,
      isBehind: { [hit, rest] in $0 > hit && !rest.contains($0) })
    try read(selecting: .judged) { columns, first in
      chooser.follow(columns, from: first, through: lastHit)
    }
    return chooser.chosen
  }

  private func excerpt(
    _ kept: Set<Int>, of threads: Set<ThreadIdentity>?
  ) throws(TapeError) -> Excerpt {
    let header = try TapeReader(path: path).header
    let width = header.kernel.architecture.registerLayout.count
    var items: [RecordedItem] = []
    var patch = SlotPatch(header)
    var lastTime = header.startTime
    let end = try read(selecting: .all) { columns, first in
      var side = 0
      for index in 0...columns.count {
        guard first + UInt64(index) <= lastHit else { return }
        while side < columns.sideEvents.count, columns.sideEvents[side].beforeHit <= index {
          let event = columns.sideEvents[side].event
          side += 1
          patch.follow(event.event)
          if belongs(event.event, to: threads) { items.append(.event(event)) }
        }
        guard index < columns.count else { break }
        var hit = columns.hit(index, width: width)
        var window = Array(
          columns.windowWords[
            Int(columns.windowStarts[index])..<Int(columns.windowStarts[index + 1])])
        guard kept.contains(Int(first) + index) else {
          patch.leaveOut(hit, firstWord: window.first)
          continue
        }
        patch.keep(&hit, &window)
        lastTime = hit.time
        items.append(.hit(hit, window: window))
      }
    }
    let cut = TapeTrailer(
      targetExit: .unknown, entries: 0, returns: 0, lost: 0, endTime: lastTime)
    return Excerpt(header: header, items: items, trailer: end ?? cut)
  }

  private func belongs(_ event: SideEvent, to threads: Set<ThreadIdentity>?) -> Bool {
    // A list names calls that may be left out.
    if case .witness = event { return false }
    guard let threads else { return true }
    return switch event {
    case .mapping(let mapping): threads.contains { $0.process == mapping.process }
    case .fork(let fork): threads.contains(fork.child)
    case .threadName(let thread, _), .exec(let thread, _), .exit(let thread),
      .attached(let thread):
      threads.contains(thread)
    case .signal(let delivery): threads.contains(delivery.thread)
    case .lost: true
    case .witness: false
    }
  }

  /// Calls `body` with each block up to the diverging hit and the index of its first hit. Returns
  /// the trailer when nothing comes behind that hit.
  @discardableResult
  private func read(
    selecting selected: TapeColumns, _ body: (HitColumns, UInt64) -> Void
  ) throws(TapeError) -> TapeTrailer? {
    var reader = try TapeReader(path: path)
    var columns = HitColumns()
    var first: UInt64 = 0
    while true {
      switch try reader.next(into: &columns, selecting: selected) {
      case .block:
        if first > lastHit { return nil }
        body(columns, first)
        first += UInt64(columns.count)
      case .damage, .end: return nil
      case .trailer(let trailer): return first <= lastHit ? trailer : nil
      }
    }
  }
}

/// Chooses the last hits, and the entries of the calls before them that are still open.
private struct HitChooser {
  private let architecture: Architecture
  private let wanted: Int
  private let threads: Set<ThreadIdentity>?
  /// Whether a hit comes behind all that is wanted.
  private let isBehind: (UInt64) -> Bool
  private var matcher: CallMatcher
  /// The last hits as a ring: index on the tape, and of a return the index of its entry.
  private var last: [(hit: Int, entry: Int?)] = []
  private var next = 0

  init(
    _ architecture: Architecture, wanted: Int, threads: Set<ThreadIdentity>?,
    isBehind: @escaping (UInt64) -> Bool
  ) {
    self.isBehind = isBehind
    self.architecture = architecture
    self.wanted = wanted
    self.threads = threads
    matcher = CallMatcher(architecture)
  }

  var chosen: Set<Int> {
    var chosen: Set<Int> = []
    for (hit, entry) in last {
      chosen.insert(hit)
      if let entry { chosen.insert(entry) }
    }
    for calls in matcher.open.values {
      for call in calls { chosen.insert(call.call) }
    }
    return chosen
  }

  mutating func follow(_ columns: HitColumns, from first: UInt64, through end: UInt64) {
    var next = first
    for step in columns.order {
      guard next <= end else { return }
      switch step {
      case .event(let event): follow(event.event)
      case .hit(let index):
        defer { next += 1 }
        let thread = columns.threadTable[Int(columns.threads[index])]
        if isBehind(next) { continue }
        if threads?.contains(thread) ?? true { add(columns, index, Int(next), thread) }
      }
    }
  }

  private mutating func add(
    _ columns: HitColumns, _ index: Int, _ hit: Int, _ thread: ThreadIdentity
  ) {
    var entry: Int?
    switch columns.kinds[index] {
    case .entry:
      matcher.enter(
        thread, probe: columns.probes[index], function: columns.functions[index],
        slot: columns.stackPointers[index], call: hit)
    case .return:
      entry = matcher.leave(
        thread, probe: columns.probes[index], function: columns.functions[index],
        stackPointer: columns.stackPointers[index],
        wordSize: columns.flags[index].contains(.compat) ? 4 : 8)
    }
    if last.count < wanted {
      last.append((hit, entry))
    } else {
      last[next] = (hit, entry)
      next = (next + 1) % wanted
    }
  }

  private mutating func follow(_ event: SideEvent) {
    switch event {
    case .fork(let fork): matcher.fork(fork)
    case .exec(let thread, _), .exit(let thread): matcher.end(thread)
    case .mapping, .threadName, .signal, .lost, .attached, .witness: break
    }
  }
}
