import ProbeEvents
import TapeFormat

/// One of two tapes that are compared: a reader that turns hits and side events into steps.
struct ComparedTape {
  /// A step, of which thread, and with the index of its hit (for an event, of the hit after it).
  struct Placed {
    var path: [Int]
    var identity: ThreadIdentity
    var hit: UInt64
    var step: ComparedStep
  }

  let header: TapeHeader
  /// Why not all of the tape can be compared; nil when it can.
  private(set) var reason: String?
  private(set) var targetExit: TargetExit?
  private(set) var hits: UInt64 = 0

  private var reader: TapeReader
  private let layout: RegisterLayout
  private let withRegisters: Bool
  private let probes: [Int]
  private var order = TaskOrder()
  private var files: [Int32: FileMap] = [:]
  private var stacks: [ThreadIdentity: StackRegions] = [:]
  private var columns = HitColumns()

  init(
    path: String, _ names: inout ComparedNames, withRegisters: Bool
  ) throws(TapeError) {
    reader = try TapeReader(path: path)
    header = reader.header
    layout = header.kernel.architecture.registerLayout
    self.withRegisters = withRegisters
    var numbers: [Int] = []
    for probe in header.probes { numbers.append(names.number(of: probe)) }
    probes = numbers
  }

  /// The steps of the next block; nil at the end.
  mutating func next(_ names: inout ComparedNames) throws(TapeError) -> [Placed]? {
    let selected: TapeColumns = withRegisters ? [.judged, .registers] : .judged
    switch try reader.next(into: &columns, selecting: selected) {
    case .block: return steps(&names)
    case .damage(let damage):
      note(damage.description)
      return []
    case .trailer(let trailer):
      targetExit = trailer.targetExit
      if trailer.lost > 0 { note("the kernel dropped \(trailer.lost) records") }
      return []
    case .end:
      if !reader.isComplete { note("the tape is incomplete") }
      return nil
    }
  }

  private mutating func note(_ why: String) {
    if reason == nil { reason = why }
  }

  private mutating func steps(_ names: inout ComparedNames) -> [Placed] {
    var placed: [Placed] = []
    placed.reserveCapacity(columns.count + columns.sideEvents.count)
    for next in columns.order {
      switch next {
      case .event(let event):
        if let step = step(event.event, &names) { placed.append(step) }
      case .hit(let index):
        let thread = columns.threadTable[Int(columns.threads[index])]
        placed.append(
          Placed(
            path: order.path(of: thread), identity: thread, hit: hits,
            step: .hit(hit(index, thread))))
        hits += 1
      }
    }
    return placed
  }

  private mutating func hit(_ index: Int, _ thread: ThreadIdentity) -> NormalHit {
    let map = files[thread.process] ?? FileMap()
    let stackPointer = stacks[thread, default: StackRegions()]
      .place(of: columns.stackPointers[index])
    let regions = stacks[thread] ?? StackRegions()
    func place(_ address: Address) -> NormalAddress {
      map.place(of: address) ?? regions.known(address) ?? .other
    }
    var registers: [NormalAddress] = []
    if withRegisters {
      let first = index * layout.count
      registers = columns.registers[first..<first + layout.count].map(place)
    }
    return NormalHit(
      kind: columns.kinds[index], probe: probes[Int(columns.probes[index])],
      flags: columns.flags[index].rawValue, function: place(columns.functions[index]),
      instructionPointer: place(columns.instructionPointers[index]), stackPointer: stackPointer,
      returnAddress: returnAddress(index).map(place), registers: registers)
  }

  private func returnAddress(_ index: Int) -> Address? {
    guard columns.kinds[index] == .entry else { return nil }
    if layout.linkRegister != nil { return columns.linkRegisters[index] }
    let start = Int(columns.windowStarts[index])
    guard Int(columns.windowStarts[index + 1]) > start else { return nil }
    let word = columns.windowWords[start]
    return columns.flags[index].contains(.compat) ? word & 0xFFFF_FFFF : word
  }

  private mutating func step(_ event: SideEvent, _ names: inout ComparedNames) -> Placed? {
    switch event {
    case .mapping(let mapping):
      files[mapping.process, default: FileMap()].add(mapping, &names)
      return nil
    case .fork(let fork):
      let isThread = fork.child.process == fork.parent.process
      let path = order.path(of: fork.parent)
      order.fork(fork)
      stacks[fork.child] = isThread ? nil : stacks[fork.parent]
      if !isThread { files[fork.child.process] = files[fork.parent.process] }
      return Placed(
        path: path, identity: fork.parent, hit: hits, step: .fork(isThread: isThread))
    case .exec(let thread, _):
      files[thread.process] = nil
      stacks[thread] = nil
      return placed(thread, .exec)
    case .exit(let thread): return placed(thread, .exit)
    case .signal(let delivery):
      let map = files[delivery.thread.process] ?? FileMap()
      return placed(
        delivery.thread,
        .signal(
          number: delivery.number, code: delivery.code, isHandled: delivery.isHandled,
          at: map.place(of: delivery.instructionPointer) ?? .other))
    case .lost:
      note("the kernel dropped records before hit \(hits)")
      return nil
    case .threadName, .attached, .witness: return nil
    }
  }

  private mutating func placed(_ thread: ThreadIdentity, _ step: ComparedStep) -> Placed {
    Placed(path: order.path(of: thread), identity: thread, hit: hits, step: step)
  }
}
