import ProbeEvents
import TapeFormat

/// Random recordings: part of their hits look like a program's (values repeat, calls return), part
/// is noise, so that every way of encoding a value is used.
enum RandomRecording {
  static func make(_ architecture: Architecture, seed: UInt64, items: Int) -> Recording {
    var random = SeededRandom(seed: seed)
    var recording = Recording(header: Recording.header(architecture))
    let layout = architecture.registerLayout
    var pool = (0..<40).map { _ in random.next() >> UInt64.random(in: 0...60, using: &random) }
    var time: UInt64 = 1_000_000
    for _ in 0..<items {
      if Int.random(in: 0..<12, using: &random) == 0 {
        recording.items.append(.event(event(&random, time: time)))
        continue
      }
      time &+= random.next() >> UInt64.random(in: 0...64, using: &random)
      pool[Int.random(in: 0..<40, using: &random)] = random.next()
      recording.items.append(.hit(hit(&random, layout, pool: pool, time: time)))
    }
    recording.trailer = TapeTrailer(
      targetExit: .killed(11), entries: 1, returns: 2, lost: 3, endTime: time)
    return recording
  }

  private static func hit(
    _ random: inout SeededRandom, _ layout: RegisterLayout, pool: [UInt64], time: UInt64
  ) -> HitImage {
    func value(_ random: inout SeededRandom) -> UInt64 {
      switch Int.random(in: 0..<8, using: &random) {
      case 0: random.next()
      case 1:
        pool[Int.random(in: 0..<40, using: &random)] &+ UInt64.random(in: 0..<9, using: &random)
      default: pool[Int.random(in: 0..<40, using: &random)]
      }
    }
    let words = [0, 1, 8, 8, 8, 8, 30][Int.random(in: 0..<7, using: &random)]
    return HitImage(
      kind: Bool.random(using: &random) ? .entry : .return,
      flags: HitFlags(rawValue: UInt8.random(in: 0..<4, using: &random)),
      cpu: UInt16.random(in: 0..<3, using: &random),
      probe: UInt32.random(in: 0..<3, using: &random),
      thread: ThreadIdentity(process: 100, thread: 100 + Int32.random(in: 0..<4, using: &random)),
      time: time, function: value(&random),
      registers: (0..<layout.count).map { _ in value(&random) },
      window: (0..<words).map { _ in value(&random) })
  }

  /// A list of few threads, so that lists meet earlier ones of the same thread.
  static func witness(_ random: inout SeededRandom) -> Witness {
    let instances = (0..<Int.random(in: 0...5, using: &random)).map { place in
      WitnessedInstance(
        function: 0x40_0000 + UInt64(place), stackPointer: 0x7fff_0000 - UInt64(place) * 64,
        originalReturnAddress: Bool.random(using: &random) ? 0x40_1000 : random.next(),
        isChained: Bool.random(using: &random))
    }
    return Witness(
      thread: ThreadIdentity(process: 5, thread: Int32.random(in: 5...6, using: &random)),
      moment: Witness.Moment.allCases.randomElement(using: &random) ?? .entry,
      depth: UInt32.random(in: 0...70, using: &random), instances: instances)
  }

  static func event(_ random: inout SeededRandom, time: UInt64) -> TimedSideEvent {
    let thread = ThreadIdentity(process: 5, thread: Int32.random(in: -9...99, using: &random))
    let all: [SideEvent] = [
      .mapping(
        Mapping(
          process: 5, start: random.next(), length: 4096, fileOffset: 8192, path: "/bin/ö",
          buildID: [9, 8, 7])),
      .threadName(thread, "worker"),
      .fork(TaskFork(parent: thread, child: thread, cloneFlags: nil)),
      .fork(TaskFork(parent: thread, child: thread, cloneFlags: TaskFork.cloneVM)),
      .exec(thread, "/bin/true"), .exit(thread),
      .signal(
        SignalDelivery(
          thread: thread, number: 11, code: -6, isHandled: true, instructionPointer: 1,
          stackPointer: random.next())),
      .lost(LostHits(count: random.next(), cpu: 65_535)), .attached(thread),
      .witness(witness(&random)),
    ]
    return TimedSideEvent(
      time: time, event: all[Int.random(in: 0..<all.count, using: &random)])
  }
}
