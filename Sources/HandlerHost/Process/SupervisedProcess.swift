import Glibc
public import SystemPackage

/// A program that runs beside this one, is watched, and is ended when it hangs.
public final class SupervisedProcess {
  /// How it ended.
  public enum End: Sendable, Hashable {
    case exited(Int32)
    case killed(Int32)
  }

  /// Where the progress page is found in the child.
  public static let progressDescriptor: Int32 = 3

  private let pid: pid_t
  private var output = PipePair()
  /// Held open: when this process dies, the child reads an end and goes too.
  private var lifeline = PipePair()
  private let errorDescriptor: Int32
  private var pending: [UInt8] = []
  private var hasEnded = false

  /// Starts a program at a path with the given environment added to this process's own.
  public init(
    path: String, arguments: [String], environment: [String: String], progress: ProgressPage
  ) throws(Errno) {
    var output = PipePair(), lifeline = PipePair()
    try output.open()
    try lifeline.open()
    errorDescriptor = try Self.nameless()
    pid = try Self.start(
      path, arguments, environment,
      [
        (lifeline.read, 0), (output.write, 1), (errorDescriptor, 2),
        (progress.descriptor, Self.progressDescriptor),
      ])
    output.closeWrite()
    (self.output, self.lifeline) = (output, lifeline)
  }

  deinit {
    output.closeBoth()
    lifeline.closeBoth()
    close(errorDescriptor)
  }

  /// Waits at most `milliseconds` for more output and returns the lines that are complete; nil at
  /// the end of output.
  public func lines(milliseconds: Int32) -> [String]? {
    var polled = [pollfd(fd: output.read, events: Int16(POLLIN), revents: 0)]
    guard unsafe poll(&polled, 1, milliseconds) > 0 else { return [] }
    var buffer = [UInt8](repeating: 0, count: 65536)
    let count = unsafe read(output.read, &buffer, buffer.count)
    if count < 0 { return errno == EINTR ? [] : nil }
    if count == 0 { return nil }
    pending += buffer[..<count]
    var lines: [String] = []
    while let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
      lines.append(String(decoding: pending[..<end], as: UTF8.self))
      pending.removeSubrange(...end)
    }
    return lines
  }

  /// Ends the program at once.
  public func kill() {
    if !hasEnded { _ = Glibc.kill(pid, SIGKILL) }
  }

  /// Waits for the end.
  public func wait() -> End {
    hasEnded = true
    var status: Int32 = 0
    while unsafe waitpid(pid, &status, 0) < 0, errno == EINTR {}
    let signal = status & 0x7F
    return signal == 0 ? .exited((status >> 8) & 0xFF) : .killed(signal)
  }

  /// What it wrote to standard error, up to 256 KiB.
  public func errors() -> String {
    var buffer = [UInt8](repeating: 0, count: 1 << 18)
    let count = unsafe pread(errorDescriptor, &buffer, buffer.count, 0)
    return String(decoding: buffer[..<max(0, count)], as: UTF8.self)
  }

  private static func nameless() throws(Errno) -> Int32 {
    let page = try ProgressPage()
    // The page's file has no name either; its contents start empty for a log.
    guard ftruncate(page.descriptor, 0) == 0 else { throw Errno(rawValue: errno) }
    return page.descriptor
  }

  private static func start(
    _ path: String, _ arguments: [String], _ environment: [String: String],
    _ descriptors: [(Int32, Int32)]
  ) throws(Errno) -> pid_t {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    // First out of the way of each other, then to their places.
    for (index, (from, _)) in descriptors.enumerated() {
      unsafe posix_spawn_file_actions_adddup2(&actions, from, 64 + Int32(index))
    }
    for (index, (_, to)) in descriptors.enumerated() {
      unsafe posix_spawn_file_actions_adddup2(&actions, 64 + Int32(index), to)
      unsafe posix_spawn_file_actions_addclose(&actions, 64 + Int32(index))
    }
    let words = unsafe CStrings(arguments)
    let variables = unsafe CStrings(merged(environment))
    defer {
      unsafe words.free()
      unsafe variables.free()
    }
    var pid: pid_t = 0
    let code = unsafe posix_spawn(&pid, path, &actions, nil, words.pointers, variables.pointers)
    guard code == 0 else { throw Errno(rawValue: code) }
    return pid
  }

  private static func merged(_ added: [String: String]) -> [String] {
    var variables: [String] = []
    var index = 0
    // `environ` is an array of strings that ends with a null pointer; nothing changes it meanwhile.
    while let entry = unsafe environ[index] {
      let text = unsafe String(cString: entry)
      let name = text.prefix { $0 != "=" }
      if added[String(name)] == nil { variables.append(text) }
      index += 1
    }
    return variables + added.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
  }
}

/// An array of C strings with a null pointer at its end, as execve wants; freed by its user.
@unsafe struct CStrings {
  let pointers: [UnsafeMutablePointer<CChar>?]

  init(_ strings: [String]) {
    // Copies, so that they outlive the Swift strings.
    unsafe pointers = strings.map { unsafe strdup($0) } + [nil]
  }

  func free() {
    unsafe pointers.forEach { unsafe Glibc.free($0) }
  }
}
