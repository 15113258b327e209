public import TapeFormat

/// Why a recording cannot start, or ended early. Each description says what to do.
public enum RecorderError: Error, Sendable, Hashable {
  /// The plan has no probe.
  case noProbes
  /// The plan has a probe twice.
  case duplicateProbe(path: String, fileOffset: UInt64)
  /// The plan names no command or no process.
  case noTarget
  /// A stack window that `PERF_SAMPLE_STACK_USER` cannot carry.
  case stackBytes(UInt32)
  /// A ring size that is not a power of two, or unreasonable.
  case ringPages(Int)
  /// The kernel has no model here: neither x86_64 nor aarch64.
  case architecture(String)
  /// The kernel was built without uprobe events.
  case noUprobeEvents
  /// tracefs is neither mounted nor can we mount it privately.
  case tracefsUnavailable(errno: Int32)
  /// A control file of tracefs or a perf event is refused for lack of privilege.
  case notPermitted(operation: String, errno: Int32)
  /// The kernel is locked down so far that tracing is off.
  case lockedDown
  /// perf_event_open itself is refused or missing: a container's seccomp filter, or no such call.
  case perfEventsUnavailable(errno: Int32)
  /// A probed file cannot be opened.
  case probedFile(path: String, errno: Int32)
  /// The kernel refuses a probe.
  case probeRefused(path: String, fileOffset: UInt64, errno: Int32)
  /// A reference counter at an odd offset, which the kernel refuses.
  case misalignedReferenceCounter(path: String, counter: UInt64)
  /// Somebody has a probe at the place already, with another reference counter or without one.
  case referenceCounterTaken(path: String, fileOffset: UInt64)
  /// More events are needed than descriptors allowed.
  case tooManyEvents(needed: Int)
  /// No ring could be mapped, however small.
  case rings(errno: Int32)
  /// A process to attach to is not there.
  case noSuchProcess(Int32)
  /// The command cannot be started.
  case launch(command: String, errno: Int32)
  /// Another recording runs in this process.
  case alreadyRecording
  /// The tape cannot be written any more.
  case tape(TapeError)
  /// The sink could not be made for another reason: its error text.
  case sink(String)
  /// The kernel's own list cannot be read: what is missing.
  case witness(String)
  /// Any other system call that failed.
  case system(operation: String, errno: Int32)

  /// The status a shell gives for a command that cannot be started: 127 when it is not found, else
  /// 126; nil for all other errors.
  public var shellStatus: Int32? {
    guard case .launch(_, let number) = self else { return nil }
    return number == 2 ? 127 : 126
  }

  init(_ failure: SystemFailure) {
    self = .system(operation: failure.operation, errno: failure.number)
  }
}

extension RecorderError: CustomStringConvertible {
  /// What is wrong and what to do about it.
  public var description: String {
    switch self {
    case .noProbes:
      "there is no probe; name at least one"
    case .duplicateProbe(let path, let offset):
      "the probe at \(path):0x\(String(offset, radix: 16)) is there twice; name it once"
    case .noTarget:
      "there is nothing to record; name a command or a process"
    case .stackBytes(let bytes):
      "a stack window of \(bytes) bytes is not possible; choose a multiple of 8 from 8 to 65528"
    case .ringPages(let pages):
      "\(pages) ring pages are not possible; choose a power of two from 1 to 262144"
    case .architecture(let name):
      "recording on \(name) is not supported, only on x86_64 and aarch64"
    case .noUprobeEvents:
      "this kernel has no uprobe events; use one built with CONFIG_UPROBE_EVENTS=y"
    case .tracefsUnavailable(let number):
      "tracefs is not mounted and cannot be mounted privately (\(SystemFailure.text(number))); "
        + "as root: mount -t tracefs nodev /sys/kernel/tracing"
    case .notPermitted(let operation, let number):
      "not permitted to \(operation) (\(SystemFailure.text(number))); record as root, "
        + "e.g. through sudo"
    case .lockedDown:
      "the kernel is locked down to confidentiality, which forbids tracing; boot with "
        + "lockdown=integrity or without lockdown"
    case .perfEventsUnavailable(let number):
      "perf_event_open is refused (\(SystemFailure.text(number))); in a container, allow it in the "
        + "seccomp profile or run it privileged, else use a kernel with CONFIG_PERF_EVENTS=y"
    case .probedFile(let path, let number):
      "cannot open the probed file \(path) (\(SystemFailure.text(number)))"
    case .probeRefused(let path, let offset, let number):
      "the kernel refuses a probe at \(path):0x\(String(offset, radix: 16)) "
        + "(\(SystemFailure.text(number))); check that an instruction starts there and that the "
        + "file lies on an ordinary file system"
    case .misalignedReferenceCounter(let path, let counter):
      "the reference counter \(path):0x\(String(counter, radix: 16)) is at an odd offset, which the "
        + "kernel refuses"
    case .referenceCounterTaken(let path, let offset):
      "another tracer has a probe at \(path):0x\(String(offset, radix: 16)) with another reference "
        + "counter, and the kernel allows one; remove its event (see tracefs's uprobe_events)"
    case .tooManyEvents(let needed):
      "\(needed) perf events need more open files than allowed; raise the limit (ulimit -n) or "
        + "name fewer probes"
    case .rings(let number):
      "cannot map a perf ring (\(SystemFailure.text(number))); raise the limit on locked memory "
        + "(ulimit -l, or sysctl kernel.perf_event_mlock_kb) or give a smaller ring"
    case .noSuchProcess(let process):
      "there is no process \(process)"
    case .launch(let command, let number):
      "cannot start \(command) (\(SystemFailure.text(number)))"
    case .alreadyRecording:
      "another recording runs in this process; wait for it to end"
    case .tape(let error):
      "the tape cannot be written: \(error)"
    case .sink(let text):
      "the recording has nowhere to go: \(text)"
    case .witness(let text):
      "there can be no witness: \(text)"
    case .system(let operation, let number):
      "cannot \(operation) (\(SystemFailure.text(number)))"
    }
  }
}
