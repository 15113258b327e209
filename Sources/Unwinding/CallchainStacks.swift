import ProbeEvents
import Replay
import TapeFormat

/// Makes stacks of the callchains that the kernel took by frame pointers, with what it gets wrong put
/// right where that can be told: see ``CallchainRepair``.
///
/// Fed with blocks of hits in their order.
struct CallchainStacks {
  /// The kernel's callchains of a block's hits.
  struct Chains {
    /// Addresses and marks, one chain after the other.
    var words: [UInt64] = []
    /// Where each chain starts; one more than there are hits.
    var starts: [Int] = [0]

    mutating func append(_ chain: Span<UInt64>) {
      for index in chain.indices { words.append(chain[index]) }
      starts.append(words.count)
    }

    mutating func removeAll() {
      words.removeAll(keepingCapacity: true)
      starts.removeAll(keepingCapacity: true)
      starts.append(0)
    }
  }

  /// The stacks.
  var table: StackTable { made.table }

  /// What is known of a probe's place.
  private struct Place {
    var isFunctionStart: Bool
    /// Whether the kernel takes the place for a function's start (from 6.12 on).
    var mayHaveCaller: Bool
  }

  private let places: [Place]
  private let hasLinkRegister: Bool
  private var made = AddressStacks()
  private var maps = ProcessMapTable()
  private var lists = InstanceLists()
  private var repair = CallchainRepair()
  private var nextHit: UInt64 = 0

  init(header: TapeHeader) {
    let isX86 = header.kernel.architecture == .x86_64
    hasLinkRegister = header.kernel.architecture.registerLayout.linkRegister != nil
    places = header.probes.map { probe in
      let bytes = probe.originalBytes
      let endbr64: [UInt8] = [0xF3, 0x0F, 0x1E, 0xFA]
      return Place(
        isFunctionStart: probe.isAtFunctionStart,
        // 0x55 is `push %rbp`.
        mayHaveCaller: isX86
          && (bytes.isEmpty || bytes[0] == 0x55 || bytes.starts(with: endbr64)))
    }
  }

  /// The stacks of a block's hits, with what a replay concluded about them.
  mutating func stacks(
    of columns: HitColumns, _ chains: Chains, _ conclusions: [AnnotatedConclusion]
  ) -> [StackReference] {
    precondition(chains.starts.count == columns.count + 1)
    made.beginAnewIfLarge()
    var stacks: [StackReference] = []
    stacks.reserveCapacity(columns.count)
    var next = 0
    for step in columns.order {
      let hit: Int
      switch step {
      case .event(let event):
        maps.note(event.event)
        lists.note(event.event)
        continue
      case .hit(let index): hit = index
      }
      var conclusion: HitConclusion?
      while next < conclusions.count, conclusions[next].hit == nextHit {
        conclusion = conclusions[next].conclusion
        next += 1
      }
      let words = chains.starts[hit]..<chains.starts[hit + 1]
      stacks.append(
        stack(of: columns, hit, chains.words.span.extracting(words), conclusion))
      nextHit += 1
    }
    return stacks
  }

  private mutating func stack(
    of columns: HitColumns, _ hit: Int, _ chain: Span<UInt64>, _ conclusion: HitConclusion?
  ) -> StackReference {
    let thread = columns.threadTable[Int(columns.threads[hit])]
    let start = Int(columns.windowStarts[hit])
    let top =
      start < Int(columns.windowStarts[hit + 1]) ? columns.windowWords[start] : nil
    let returnAddress = hasLinkRegister ? columns.linkRegisters[hit] : top
    lists.prepare(thread, conclusion)
    defer {
      lists.note(
        hit: nextHit, thread, stackPointer: columns.stackPointers[hit],
        returnAddress: returnAddress, conclusion)
    }
    let user = chain.extracting(UserCallchain.frames(in: chain))
    guard user.count > 0 else { return 0 }
    let map = maps.map(of: thread.process)
    let isNative = columns.flags[hit].isDisjoint(with: [.compat, .registersMissing])
    let isEntry = columns.kinds[hit] == .entry
    let place = places[Int(columns.probes[hit])]
    let isTail = isEntry && returnAddress == map.trampoline
    repair.repair(
      user.extracting(1..<user.count), isNative ? lists.list(of: thread) : [],
      CallchainRepair.Situation(
        stackPointer: columns.stackPointers[hit],
        returnAddress: isNative && isEntry && place.isFunctionStart ? returnAddress : nil,
        mayHaveCaller: place.mayHaveCaller,
        includesStackPointer: isEntry ? isTail : !hasLinkRegister,
        trampoline: isNative ? map.trampoline : 0))
    let ending =
      repair.isCut ? .unknownTrampoline : UserCallchain.ending(count: user.count)
    return made.reference([user[0]] + repair.callers, ending, of: thread.process, in: maps)
  }
}
