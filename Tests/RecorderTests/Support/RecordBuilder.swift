import ProbeEvents

@testable import Recorder

/// Builds ring records as `include/uapi/linux/perf_event.h` lays them out, word by word.
enum RecordBuilder {
  static func header(_ kind: UInt32, misc: UInt64 = 0, words: Int) -> UInt64 {
    UInt64(kind) | misc << 32 | UInt64(words * 8) << 48
  }

  static func pair(_ low: Int32, _ high: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: low)) | UInt64(UInt32(bitPattern: high)) << 32
  }

  /// An entry sample: 20 bytes of raw data (8 common ones, the ip, padding), x86_64 registers, and
  /// a stack of which `real` bytes are there.
  static func entry(
    _ identifier: UInt64, thread: ThreadIdentity, time: UInt64, ip: UInt64 = 0x40_1000,
    abi: UInt64 = 2, codeSegment: UInt64 = 0x33, stack: [UInt64] = [1, 2, 3], real: UInt64? = nil,
    callchain: [UInt64]? = nil
  ) -> [UInt64] {
    var body: [UInt64] = [identifier, ip, pair(thread.process, thread.thread), time, 1]
    if let callchain { body += [UInt64(callchain.count)] + callchain }
    body += [
      // The size 20, then data: 8 common bytes, 8 of ip, 4 of padding.
      20 | 0x1111_1111 << 32, 0x2222_2222 | ip << 32, ip >> 32,
    ]
    body.append(abi)
    if abi != 0 {
      var registers = (0..<20).map { UInt64($0) + 100 }
      registers[8] = ip
      registers[10] = codeSegment
      body += registers
    }
    body.append(UInt64(stack.count * 8))
    if !stack.isEmpty { body += stack + [real ?? UInt64(stack.count * 8)] }
    return [header(9, words: body.count + 1)] + body
  }

  /// A sample of the witness's program, with a list of one instance: (address, stack pointer, return
  /// address).
  static func list(
    _ identifier: UInt64, thread: ThreadIdentity, time: UInt64, moment: UInt64, ip: UInt64,
    stackPointer: UInt64, instance: (UInt64, UInt64, UInt64)
  ) -> [UInt64] {
    let data = [
      moment | 1 << 32, 1, ip, stackPointer, instance.0, instance.1, instance.2, 0,
    ]
    var body: [UInt64] = [identifier, ip, pair(thread.process, thread.thread), time, 1]
    // The size comes before the data and 4 bytes of padding after them, both counted with the data.
    var below = UInt64(data.count * 8 + 4)
    for word in data {
      body.append(below | word << 32)
      below = word >> 32
    }
    body.append(below)
    return [header(9, words: body.count + 1)] + body
  }

  /// A record of the side band with the trailer that sample_id_all adds.
  static func sideBand(
    _ kind: UInt32, misc: UInt64 = 0, identifier: UInt64, thread: ThreadIdentity, time: UInt64,
    _ body: [UInt64]
  ) -> [UInt64] {
    let trailer = [pair(thread.process, thread.thread), time, 0, identifier]
    return [header(kind, misc: misc, words: body.count + 5)] + body + trailer
  }

  /// A text, terminated and padded to whole words.
  static func text(_ text: String) -> [UInt64] {
    var bytes = Array(text.utf8) + [0]
    while bytes.count % 8 != 0 { bytes.append(0) }
    return stride(from: 0, to: bytes.count, by: 8).map { start in
      (0..<8).reduce(0) { $0 | UInt64(bytes[start + $1]) << UInt64($1 * 8) }
    }
  }

  static func fork(
    _ child: ThreadIdentity, of parent: ThreadIdentity, identifier: UInt64, time: UInt64
  ) -> [UInt64] {
    sideBand(
      7, identifier: identifier, thread: parent, time: time,
      [pair(child.process, parent.process), pair(child.thread, parent.thread), time])
  }
}
