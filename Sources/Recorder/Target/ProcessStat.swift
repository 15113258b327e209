/// What `/proc/PID/stat` says about a process.
enum ProcessStat {
  /// Clock ticks from boot to the start of the process: with the number, it names a process for
  /// good. Nil when there is no such process.
  static func startTime(of process: Int32) -> UInt64? {
    guard let text = try? Syscalls.text(of: "/proc/\(process)/stat") else { return nil }
    return startTime(inStat: text)
  }

  /// The same of one thread.
  static func startTime(of process: Int32, thread: Int32) -> UInt64? {
    guard let text = try? Syscalls.text(of: "/proc/\(process)/task/\(thread)/stat") else {
      return nil
    }
    return startTime(inStat: text)
  }

  /// Field 22. The name in field 2 may hold spaces and parentheses, so fields count from the last
  /// parenthesis.
  static func startTime(inStat text: String) -> UInt64? {
    guard let end = text.lastIndex(of: ")") else { return nil }
    let fields = text[text.index(after: end)...].split(separator: " ")
    return fields.count > 19 ? UInt64(fields[19]) : nil
  }

  /// The signals that our first thread blocks, which is what we were started with: other threads
  /// may block more (those of Dispatch do). Bit n - 1 stands for signal n.
  static var blockedSignals: UInt64? {
    guard let text = try? Syscalls.text(of: "/proc/self/status") else { return nil }
    for line in text.split(separator: "\n") where line.hasPrefix("SigBlk:") {
      return UInt64(line.dropFirst(7).drop { $0 == "\t" || $0 == " " }, radix: 16)
    }
    return nil
  }

  /// The state letter of a thread (`Z` for a zombie); nil when it is gone.
  static func state(of process: Int32, thread: Int32) -> Character? {
    guard let text = try? Syscalls.text(of: "/proc/\(process)/task/\(thread)/stat"),
      let end = text.lastIndex(of: ")")
    else { return nil }
    return text[text.index(after: end)...].drop { $0 == " " }.first
  }
}
