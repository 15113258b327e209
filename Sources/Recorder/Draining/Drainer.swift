import CPerfEvent
import Glibc
import Synchronization

/// The thread that empties the rings: it copies and does nothing else, so that it keeps up with
/// any target.
final class Drainer: Sendable {
  /// Time between rounds when no ring is an eighth full: with one round's delay for ordering, a
  /// hit reaches the sink well within 100 ms.
  static let idleMilliseconds: Int32 = 20

  private let rings: [PerfRing]
  private let queue: RoundQueue
  private let stopping = Atomic<Bool>(false)
  private let wakeUp: Descriptor

  /// A drainer for rings; ``start()`` makes it run.
  init(rings: [PerfRing], queue: RoundQueue) throws(SystemFailure) {
    self.rings = rings
    self.queue = queue
    wakeUp = Descriptor(try Syscalls.check(cperf_eventfd(), "make an eventfd"))
  }

  /// A running drainer's thread. When it goes, the rings have been emptied a last time; all events
  /// are to be disabled before.
  @safe struct Thread: ~Copyable {
    private let handle: UnsafeMutableRawPointer
    private let drainer: Drainer

    fileprivate init(_ drainer: Drainer) throws(SystemFailure) {
      self.drainer = drainer
      let context = unsafe Unmanaged.passRetained(drainer)
      // The thread takes over the reference that the context holds.
      let handle = unsafe cperf_thread_start(
        { context in
          guard let context = unsafe context else { return }
          unsafe Unmanaged<Drainer>.fromOpaque(context).takeRetainedValue().run()
        }, context.toOpaque())
      guard let handle = unsafe handle else {
        unsafe context.release()
        throw SystemFailure(operation: "start a thread", number: EAGAIN)
      }
      unsafe self.handle = handle
    }

    deinit {
      drainer.stopping.store(true, ordering: .releasing)
      drainer.wake()
      // Made by cperf_thread_start, and joined once.
      unsafe cperf_thread_join(handle)
    }
  }

  /// Starts the thread.
  func start() throws(SystemFailure) -> Thread {
    try Thread(self)
  }

  private func wake() {
    cperf_eventfd_signal(wakeUp.raw)
  }

  private func run() {
    cperf_thread_first()
    var descriptors = [wakeUp.raw] + rings.map(\.descriptor)
    while true {
      let isLast = stopping.load(ordering: .acquiring)
      if isLast || queue.hasRoom { drainOnce(isLast: isLast) }
      if isLast { return }
      let bits = Syscalls.poll(descriptors, milliseconds: Self.idleMilliseconds)
      // A ring whose owner's threads are all gone is hung up for good: waiting for it would be
      // spinning. The clock takes care of it.
      descriptors = zip(descriptors, bits).filter { $0.1 & POLLHUP == 0 }.map(\.0)
    }
  }

  private func drainOnce(isLast: Bool) {
    var round = Round(chunks: [], start: Syscalls.now, isLast: isLast)
    for ring in rings {
      var chunk: [UInt64] = []
      if !ring.isEmpty {
        chunk = queue.spareChunk()
        _ = ring.drain(into: &chunk)
      }
      round.chunks.append(chunk)
    }
    queue.push(round)
  }
}
