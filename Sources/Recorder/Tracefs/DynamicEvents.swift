import Glibc
import ProbeEvents
import Synchronization

/// The dynamic uprobe events of one recording.
///
/// They outlive a killed recorder, so their group carries the recorder's process number and its
/// start time: the next recorder knows which groups belong to nobody any more.
struct DynamicEvents: ~Copyable {
  /// One event: group and name, and its format.
  struct Event: Hashable {
    var name: String
    var format: EventFormat
  }

  static let groupPrefix = "probetape_"
  private static let runs = Atomic<Int>(0)

  private let group: String
  private let run: Int
  private var names: [String] = []

  /// No events yet, for the calling process.
  init() throws(RecorderError) {
    guard let start = ProcessStat.startTime(of: getpid()) else {
      throw .system(operation: "read /proc/self/stat", errno: ENOENT)
    }
    group = Self.groupPrefix + "\(getpid())_\(start)"
    run = Self.runs.add(1, ordering: .relaxed).newValue
  }

  /// Makes the event of a probe's entry or return.
  mutating func add(
    _ kind: HitKind, path: String, fileOffset: UInt64, referenceCounter: UInt64 = 0,
    in tracefs: borrowing Tracefs
  ) throws(RecorderError) -> Event {
    let letter = kind == .entry ? "p" : "r"
    // The profile lists events without their groups, so the number alone must tell them apart.
    let name = "\(group)/\(letter)\(getpid())_\(run)_\(names.count)"
    let place: String
    // The kernel splits the line at spaces and takes # for a comment: such a file is named through
    // its descriptor instead. Opening it also tells why, when it cannot be probed.
    let file: Descriptor
    do throws(SystemFailure) {
      file = try Syscalls.open(path, flags: O_RDONLY)
    } catch {
      throw .probedFile(path: path, errno: error.number)
    }
    if path.utf8.contains(where: { $0 <= 0x20 || $0 == UInt8(ascii: "#") || $0 == 0x7f }) {
      place = "/proc/self/fd/\(file.raw)"
    } else {
      place = path
    }
    do throws(SystemFailure) {
      var offset = ":0x" + String(fileOffset, radix: 16)
      if referenceCounter != 0 { offset += "(0x" + String(referenceCounter, radix: 16) + ")" }
      try tracefs.append("\(letter):\(name) \(place)\(offset)", to: "uprobe_events")
    } catch {
      switch error.number {
      case EPERM, EACCES, ENOENT: throw Tracefs.explain(error)
      case EINVAL where hasEvents(at: path, fileOffset, in: tracefs):
        throw .referenceCounterTaken(path: path, fileOffset: fileOffset)
      default: throw .probeRefused(path: path, fileOffset: fileOffset, errno: error.number)
      }
    }
    names.append(name)
    guard let format = tracefs.format(of: name) else {
      throw .system(operation: "read the format of the event \(name)", errno: ENOENT)
    }
    return Event(name: name, format: format)
  }

  /// Whether somebody has an event at an offset of a file already; theirs may have another reference
  /// counter than ours.
  private func hasEvents(
    at path: String, _ fileOffset: UInt64, in tracefs: borrowing Tracefs
  ) -> Bool {
    guard let list = try? tracefs.text(of: "uprobe_events") else { return false }
    return list.split(separator: "\n").contains { line in
      guard let place = line.split(separator: " ").dropFirst().first,
        let colon = place.lastIndex(of: ":"), place[..<colon] == path
      else { return false }
      let digits = place[colon...].dropFirst().prefix { $0 != "(" && $0 != "%" }.dropFirst(2)
      return UInt64(digits, radix: 16) == fileOffset
    }
  }

  /// Removes all of them. An event stays busy for a moment after its last perf event was closed.
  mutating func removeAll(from tracefs: borrowing Tracefs) {
    for name in names {
      Self.remove(name, from: tracefs, attempts: 200)
    }
    names = []
  }

  /// Removes the events of recorders that are gone, and returns how many there were.
  @discardableResult
  static func removeThoseOfDeadRecorders(from tracefs: borrowing Tracefs) -> Int {
    guard let list = try? tracefs.text(of: "dynamic_events") else { return 0 }
    var removed = 0
    for line in list.split(separator: "\n") {
      guard let name = eventName(line), let owner = owner(of: name),
        ProcessStat.startTime(of: owner.process) != owner.start
      else { continue }
      remove(name, from: tracefs, attempts: 1)
      removed += 1
    }
    return removed
  }

  /// `p:GROUP/NAME PLACE` -> `GROUP/NAME`.
  static func eventName(_ line: Substring) -> String? {
    guard let colon = line.firstIndex(of: ":") else { return nil }
    return String(line[line.index(after: colon)...].prefix { $0 != " " })
  }

  /// The recorder that a `probetape_PID_START/NAME` belongs to.
  static func owner(of name: String) -> (process: Int32, start: UInt64)? {
    guard name.hasPrefix(groupPrefix) else { return nil }
    let numbers = name.dropFirst(groupPrefix.count).prefix { $0 != "/" }.split(separator: "_")
    guard numbers.count == 2, let process = Int32(numbers[0]), let start = UInt64(numbers[1])
    else { return nil }
    return (process, start)
  }

  private static func remove(_ name: String, from tracefs: borrowing Tracefs, attempts: Int) {
    for attempt in 1...attempts {
      do throws(SystemFailure) {
        try tracefs.append("-:\(name)", to: "uprobe_events")
        return
      } catch {
        guard error.number == EBUSY, attempt < attempts else { return }
        _ = Syscalls.poll([], milliseconds: 10)
      }
    }
  }
}
