public import Glibc
public import SystemPackage

/// A program run to its end for its output: the compiler, git.
public struct HelperProcess: Sendable {
  /// What a finished program left.
  public struct Outcome: Sendable {
    /// Exit status; 128 plus the signal for one that was killed.
    public var status: Int32
    /// What it wrote to standard output.
    public var output: [UInt8]
    /// What it wrote to standard error, as text.
    public var errors: String
  }

  /// Runs a program found in `PATH`, with nothing to read. Throws when it cannot be started.
  public static func run(_ arguments: [String]) throws(Errno) -> Outcome {
    var descriptors = PipePair(), errorDescriptors = PipePair()
    try descriptors.open()
    do {
      try errorDescriptors.open()
    } catch {
      descriptors.closeBoth()
      throw error
    }
    let started = start(arguments, descriptors.write, errorDescriptors.write)
    descriptors.closeWrite()
    errorDescriptors.closeWrite()
    defer {
      descriptors.closeBoth()
      errorDescriptors.closeBoth()
    }
    guard case .success(let pid) = started else {
      guard case .failure(let error) = started else { throw .invalidArgument }
      throw error
    }
    var output: [UInt8] = [], errors: [UInt8] = []
    drain(descriptors.read, into: &output, errorDescriptors.read, into: &errors)
    return Outcome(
      status: ChildStatus.wait(pid), output: output, errors: String(decoding: errors, as: UTF8.self)
    )
  }

  private static func start(
    _ arguments: [String], _ output: Int32, _ errors: Int32
  ) -> Result<pid_t, Errno> {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)
    unsafe posix_spawn_file_actions_adddup2(&actions, errors, 2)
    let words = unsafe CStrings(arguments)
    defer { unsafe words.free() }
    var pid: pid_t = 0
    let code = unsafe posix_spawnp(&pid, arguments[0], &actions, nil, words.pointers, environ)
    return code == 0 ? .success(pid) : .failure(Errno(rawValue: code))
  }

  /// Reads both pipes to their ends, whichever has something.
  private static func drain(
    _ first: Int32, into output: inout [UInt8], _ second: Int32, into errors: inout [UInt8]
  ) {
    var isOpen = (true, true)
    while isOpen.0 || isOpen.1 {
      var polled = [
        pollfd(fd: isOpen.0 ? first : -1, events: Int16(POLLIN), revents: 0),
        pollfd(fd: isOpen.1 ? second : -1, events: Int16(POLLIN), revents: 0),
      ]
      _ = unsafe poll(&polled, 2, -1)
      if polled[0].revents != 0 { isOpen.0 = readSome(first, &output) }
      if polled[1].revents != 0 { isOpen.1 = readSome(second, &errors) }
    }
  }

  /// Appends what is there; false at the end.
  private static func readSome(_ descriptor: Int32, _ bytes: inout [UInt8]) -> Bool {
    var buffer = [UInt8](repeating: 0, count: 65536)
    let count = unsafe read(descriptor, &buffer, buffer.count)
    guard count > 0 else { return count < 0 && errno == EINTR }
    bytes += buffer[..<count]
    return true
  }
}

/// The end of a child process.
public enum ChildStatus {
  /// Waits for a child; its exit status, or 128 plus the signal that killed it.
  public static func wait(_ pid: pid_t) -> Int32 {
    var status: Int32 = 0
    while unsafe waitpid(pid, &status, 0) < 0, errno == EINTR {}
    return decoded(status)
  }

  /// The exit status in a wait status, or 128 plus the signal.
  public static func decoded(_ status: Int32) -> Int32 {
    let signal = status & 0x7F
    return signal == 0 ? (status >> 8) & 0xFF : 128 + signal
  }
}

/// The two ends of a pipe, closed in children.
struct PipePair {
  private(set) var read: Int32 = -1
  private(set) var write: Int32 = -1

  mutating func open() throws(Errno) {
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe(&ends) == 0 else { throw Errno(rawValue: errno) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    (read, write) = (ends[0], ends[1])
  }

  mutating func closeWrite() {
    if write >= 0 { close(write) }
    write = -1
  }

  mutating func closeBoth() {
    closeWrite()
    if read >= 0 { close(read) }
    read = -1
  }
}
