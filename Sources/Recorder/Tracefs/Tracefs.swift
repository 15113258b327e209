import Glibc
import CPerfEvent

/// A tracefs directory: the host's own mount, or a detached one that only we can see.
///
/// A detached mount needs no other mount namespace, which the recorded command would inherit, and
/// is gone with its descriptor, however the recorder ends.
struct Tracefs: ~Copyable {
  /// How the directory was reached.
  enum Origin: Hashable {
    case mounted(String)
    case privateMount
  }

  /// Where hosts mount tracefs.
  static let usualPlaces = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"]

  /// How the directory was reached.
  let origin: Origin
  private let directory: Descriptor

  private init(_ directory: consuming Descriptor, origin: Origin) {
    self.directory = directory
    self.origin = origin
  }

  /// Finds or makes one.
  static func reach() throws(RecorderError) -> Tracefs {
    var refusal: SystemFailure?
    for place in usualPlaces {
      do throws(SystemFailure) {
        let directory = try Syscalls.open(place, flags: O_RDONLY | O_DIRECTORY)
        // Without a mount the directory is there but empty.
        _ = try Syscalls.open("dynamic_events", flags: O_RDONLY, at: directory.raw)
        return try checked(Tracefs(directory, origin: .mounted(place)))
      } catch {
        if error.number == EACCES || error.number == EPERM { refusal = error }
      }
    }
    let mount = cperf_tracefs_mount()
    if mount >= 0 {
      do throws(SystemFailure) {
        return try checked(Tracefs(Descriptor(mount), origin: .privateMount))
      } catch {
        throw explain(error)
      }
    }
    if Lockdown.current == .confidentiality { throw .lockedDown }
    if let refusal { throw .notPermitted(operation: refusal.operation, errno: refusal.number) }
    switch -mount {
    case EPERM, EACCES: throw .notPermitted(operation: "mount tracefs", errno: -mount)
    default: throw .tracefsUnavailable(errno: -mount)
    }
  }

  /// The directory, if it takes uprobe events.
  private static func checked(_ tracefs: consuming Tracefs) throws(SystemFailure) -> Tracefs {
    _ = try Syscalls.open("uprobe_events", flags: O_WRONLY, at: tracefs.directory.raw)
    return tracefs
  }

  /// A small file's text.
  borrowing func text(of path: String) throws(SystemFailure) -> String {
    try Syscalls.text(of: path, at: directory.raw)
  }

  /// Gives one command to a control file, without clearing what others made there.
  borrowing func append(_ command: String, to path: String) throws(SystemFailure) {
    let file = try Syscalls.open(path, flags: O_WRONLY | O_APPEND, at: directory.raw)
    try Syscalls.write(command + "\n", to: file.raw)
  }

  /// The `format` file of an event; nil when the kernel has no such event.
  borrowing func format(of event: String) -> EventFormat? {
    let path = "events/\(event.replacing(":", with: "/"))/format"
    guard let text = try? text(of: path) else { return nil }
    return EventFormat(text)
  }

  /// Why a control file cannot be used.
  static func explain(_ failure: SystemFailure) -> RecorderError {
    switch failure.number {
    case ENOENT: .noUprobeEvents
    case EPERM where Lockdown.current == .confidentiality: .lockedDown
    case EPERM, EACCES: .notPermitted(operation: failure.operation, errno: failure.number)
    default: RecorderError(failure)
    }
  }
}
