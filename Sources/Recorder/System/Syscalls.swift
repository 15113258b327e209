import CPerfEvent
import Glibc

/// The system calls of the recorder that are not about perf events or children, in one place.
enum Syscalls {
  /// Turns the shim's "negative errno" into a thrown error.
  static func check(_ result: Int32, _ operation: String) throws(SystemFailure) -> Int32 {
    guard result >= 0 else { throw SystemFailure(operation: operation, number: -result) }
    return result
  }

  /// Opens a file relative to a directory (`AT_FDCWD` for the working directory).
  static func open(
    _ path: String, flags: Int32, at directory: Int32 = AT_FDCWD
  ) throws(SystemFailure) -> Descriptor {
    // The path is copied into a zero-terminated buffer that lives for the call.
    Descriptor(try check(unsafe cperf_openat(directory, path, flags), "open \(path)"))
  }

  /// The whole content of a (small) file.
  static func content(
    of path: String, at directory: Int32 = AT_FDCWD
  ) throws(SystemFailure) -> [UInt8] {
    let file = try open(path, flags: O_RDONLY, at: directory)
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = try read(file.raw, into: &buffer, path: path)
      if count == 0 { return bytes }
      bytes.append(contentsOf: buffer.prefix(count))
    }
  }

  /// The whole content of a (small) file as text, without the last line's end.
  static func text(
    of path: String, at directory: Int32 = AT_FDCWD
  ) throws(SystemFailure) -> String {
    var bytes = try content(of: path, at: directory)
    if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Some bytes of a file, from its current position; 0 at the end.
  static func read(
    _ descriptor: Int32, into buffer: inout [UInt8], path: String
  ) throws(SystemFailure) -> Int {
    while true {
      let count = unsafe buffer.withUnsafeMutableBytes { bytes in
        // At most the buffer's own length.
        unsafe Glibc.read(descriptor, bytes.baseAddress, bytes.count)
      }
      if count >= 0 { return count }
      if errno != EINTR { throw SystemFailure(operation: "read \(path)", number: errno) }
    }
  }

  /// Up to `count` bytes at an offset of a file.
  static func read(
    _ path: String, at offset: UInt64, count: Int
  ) throws(SystemFailure) -> [UInt8] {
    let file = try open(path, flags: O_RDONLY)
    var buffer = [UInt8](repeating: 0, count: count)
    let got = unsafe buffer.withUnsafeMutableBytes { bytes in
      // At most the buffer's own length.
      unsafe pread(file.raw, bytes.baseAddress, bytes.count, off_t(truncatingIfNeeded: offset))
    }
    guard got >= 0 else { throw SystemFailure(operation: "read \(path)", number: errno) }
    return Array(buffer.prefix(got))
  }

  /// Writes one command, whole, to a control file.
  static func write(_ text: String, to descriptor: Int32) throws(SystemFailure) {
    let bytes = Array(text.utf8)
    let count = unsafe bytes.withUnsafeBytes {
      unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
    }
    guard count == bytes.count else {
      throw SystemFailure(operation: "write", number: count < 0 ? errno : EIO)
    }
  }

  /// Nanoseconds of a clock.
  static func nanoseconds(_ clock: clockid_t) -> UInt64 {
    var time = timespec()
    unsafe clock_gettime(clock, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  /// CLOCK_MONOTONIC, nanoseconds: the clock of all records.
  static var now: UInt64 { nanoseconds(CLOCK_MONOTONIC) }

  /// Waits until one of the descriptors is readable or hung up, or the time is over.
  /// Returns each one's `POLL…` bits.
  static func poll(_ descriptors: [Int32], milliseconds: Int32) -> [Int32] {
    var entries = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    // The entries live for the call.
    let ready = unsafe Glibc.poll(&entries, nfds_t(entries.count), milliseconds)
    return entries.map { ready > 0 ? Int32($0.revents) : 0 }
  }

  /// Names in a directory, without the dot entries; empty when it cannot be read.
  static func names(in directory: String) -> [String] {
    guard let stream = unsafe opendir(directory) else { return [] }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      // d_name is zero-terminated within the entry, and copied before the next call.
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) {
          unsafe String(cString: $0)
        }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names
  }

  /// Raises the limit on open files as far as allowed, and returns the limit it was before.
  static func raiseFileLimit() -> rlimit {
    var old = rlimit()
    guard unsafe getrlimit(Int32(RLIMIT_NOFILE.rawValue), &old) == 0 else { return old }
    var new = old
    if geteuid() == 0 { new.rlim_max = max(new.rlim_max, 1 << 20) }
    new.rlim_cur = new.rlim_max
    if unsafe setrlimit(Int32(RLIMIT_NOFILE.rawValue), &new) != 0 {
      new.rlim_max = old.rlim_max
      new.rlim_cur = old.rlim_max
      _ = unsafe setrlimit(Int32(RLIMIT_NOFILE.rawValue), &new)
    }
    return old
  }

  /// How many descriptors the process may have.
  static var descriptorLimit: UInt64 {
    var limit = rlimit()
    // The structure lives for the call.
    let result = unsafe getrlimit(Int32(RLIMIT_NOFILE.rawValue), &limit)
    return result == 0 ? UInt64(limit.rlim_cur) : .max
  }

  /// Puts the limit on open files back.
  static func restoreFileLimit(_ limit: rlimit) {
    var limit = limit
    _ = unsafe setrlimit(Int32(RLIMIT_NOFILE.rawValue), &limit)
  }
}
