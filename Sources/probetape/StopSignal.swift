import Dispatch
import Glibc
import Synchronization

/// Makes the first Ctrl-C, or SIGTERM, a wish to end that is asked for; the second one ends at once.
/// Processes started meanwhile do not notice Ctrl-C: they end with this one.
struct StopSignal {
  /// 128 + SIGINT, as shells report it.
  static let exitStatus: Int32 = 130

  private static let isWanted = Atomic<Bool>(false)
  private let sources: [any DispatchSourceSignal]

  /// Listens from now on.
  init() {
    sources = [SIGINT, SIGTERM].map { number in
      _ = signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        // Relaxed: the flag publishes no other data.
        if Self.isWanted.exchange(true, ordering: .relaxed) { exit(Self.exitStatus) }
      }
      source.resume()
      return source
    }
  }

  /// Whether it arrived.
  var hasArrived: Bool { Self.isWanted.load(ordering: .relaxed) }
}
