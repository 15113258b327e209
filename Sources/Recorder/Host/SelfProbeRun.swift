import CPerfEvent
import Glibc
import ProbeEvents
import Synchronization

/// The self probe on a thread of its own: it mostly waits for the kernel, and meanwhile the rest of
/// the recording can be made ready.
///
/// Its child must not be forked before the recorded command: that would hold the self probe's
/// events open until its exec.
@safe struct SelfProbeRun: ~Copyable {
  private final class Work: Sendable {
    let architecture: Architecture
    let facts = Mutex<[KernelFact]>([])

    init(_ architecture: Architecture) {
      self.architecture = architecture
    }

    /// What cannot be observed is left out: the rules have defaults for it.
    func run() {
      guard let tracefs = try? Tracefs.reach() else { return }
      let observed = SelfProbe.facts(architecture, tracefs)
      facts.withLock { $0 = observed }
    }
  }

  private let work: Work
  private let handle: UnsafeMutableRawPointer

  /// Starts it.
  init(_ architecture: Architecture) throws(RecorderError) {
    work = Work(architecture)
    let context = unsafe Unmanaged.passRetained(work)
    // The thread takes over the reference that the context holds.
    let handle = unsafe cperf_thread_start(
      { context in
        guard let context = unsafe context else { return }
        unsafe Unmanaged<Work>.fromOpaque(context).takeRetainedValue().run()
      }, context.toOpaque())
    guard let handle = unsafe handle else {
      unsafe context.release()
      throw .system(operation: "start a thread", errno: EAGAIN)
    }
    unsafe self.handle = handle
  }

  deinit {
    // Made by cperf_thread_start, and joined once.
    unsafe cperf_thread_join(handle)
  }

  /// What was observed, once the probe has been taken away again.
  consuming func facts() -> [KernelFact] {
    let work = work
    Self.wait(for: self)
    return work.facts.withLock { $0 }
  }

  private static func wait(for run: consuming SelfProbeRun) {}
}
