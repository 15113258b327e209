/// A small writer of perf.data files for tests, made from perf's description of the format
/// (`tools/perf/Documentation/perf.data-file-format.txt`) and not from the reader under test. For
/// what this host's perf cannot record: arm64, old and new versions, and what goes wrong.
struct PerfDataBuilder {
  struct Event {
    var name: String
    var isReturn: Bool
    var id: UInt64
    var config: UInt64
  }

  var machine = "aarch64"
  var release = "6.1.0"
  var attributeSize = 120
  var registerMask: UInt64 = 0x1_ffff_ffff
  var stackBytes: UInt64 = 16
  var period: UInt64 = 1
  /// Whether the command was launched.
  var enablesOnExec = true
  var hasRegisters = true
  var hasStack = true
  var hasTracingData = true
  /// IP, TID, TIME, ID, CPU, PERIOD, RAW; registers and stack are added.
  var sampleType: UInt64 = 0x1 | 0x2 | 0x4 | 0x40 | 0x80 | 0x100 | 0x400
  var commandLine = ["perf", "record", "--", "/bin/program"]
  var events: [Event] = []
  private(set) var records: [UInt8] = []

  static let ids: UInt64 = 100

  init(functions: [String]) {
    for (index, name) in functions.enumerated() {
      let id = Self.ids + UInt64(index) * 2
      events.append(Event(name: name, isReturn: false, id: id, config: 500 + id))
      events.append(Event(name: name + "__return", isReturn: true, id: id + 1, config: 501 + id))
    }
  }

  private var fullSampleType: UInt64 {
    sampleType | (hasRegisters ? 0x1000 : 0) | (hasStack ? 0x2000 : 0)
  }

  // MARK: records

  /// A record with a header; nothing is added to the body.
  mutating func record(_ kind: UInt32, misc: UInt16 = 0, _ body: [UInt8]) {
    records.add(kind)
    records.add(misc)
    records.add(UInt16(body.count + 8))
    records += body
  }

  /// A record of the kernel's, with the trailer that `sample_id_all` brings.
  mutating func kernelRecord(
    _ kind: UInt32, misc: UInt16 = 0, _ body: [UInt8], time: UInt64, cpu: UInt32 = 0
  ) {
    var bytes = body
    bytes.add(UInt32(1))
    bytes.add(UInt32(1))
    bytes.add(time)
    bytes.add(time == 0 ? 0 : Self.ids)
    bytes.add(UInt64(cpu))
    record(kind, misc: misc, bytes)
  }

  /// A sample of an event. `registers` are those of the mask, in its order.
  mutating func sample(
    _ name: String, time: UInt64, tid: UInt32 = 10, pid: UInt32 = 10, cpu: UInt32 = 0,
    ip: UInt64, function: UInt64, registers: [UInt64] = [], stack: [UInt64] = [],
    misc: UInt16 = 2, before: [UInt8] = [], afterRaw: [UInt8] = []
  ) {
    guard let event = events.first(where: { $0.name == name }) else {
      preconditionFailure("no event \(name)")
    }
    var body: [UInt8] = []
    body.add(ip)
    body.add(pid)
    body.add(tid)
    body.add(time)
    body.add(event.id)
    body.add(UInt64(cpu))
    body.add(UInt64(1))
    body += before
    // The size of raw data and the data itself fill whole words together.
    body.add(UInt32(event.isReturn ? 28 : 20))
    body.add(UInt64(0))
    body.add(function)
    if event.isReturn { body.add(ip) }
    body.add(UInt32(0))
    body += afterRaw
    if hasRegisters {
      body.add(UInt64(2))
      for value in registers { body.add(value) }
    }
    if hasStack {
      body.add(stackBytes)
      for index in 0..<Int(stackBytes / 8) {
        body.add(index < stack.count ? stack[index] : UInt64(0xDEAD))
      }
      body.add(UInt64(stack.count * 8))
    }
    record(9, misc: misc, body)
  }

  mutating func comm(_ name: String, pid: UInt32 = 10, tid: UInt32 = 10, time: UInt64, isExec: Bool)
  {
    var body: [UInt8] = []
    body.add(pid)
    body.add(tid)
    body += padded(name)
    kernelRecord(3, misc: isExec ? 1 << 13 : 0, body, time: time)
  }

  mutating func mmap2(
    _ path: String, start: UInt64, length: UInt64, offset: UInt64, pid: UInt32 = 10, time: UInt64,
    buildID: [UInt8] = []
  ) {
    var body: [UInt8] = []
    body.add(pid)
    body.add(pid)
    body.add(start)
    body.add(length)
    body.add(offset)
    if buildID.isEmpty {
      body += [UInt8](repeating: 0, count: 24)
    } else {
      body += [UInt8(buildID.count), 0, 0, 0] + buildID
      body += [UInt8](repeating: 0, count: 20 - buildID.count)
    }
    body.add(UInt32(5))
    body.add(UInt32(2))
    body += padded(path)
    kernelRecord(10, misc: buildID.isEmpty ? 2 : 2 | 1 << 14, body, time: time)
  }

  mutating func mmap(
    _ path: String, start: UInt64, length: UInt64, offset: UInt64, pid: UInt32 = 10, time: UInt64
  ) {
    var body: [UInt8] = []
    body.add(pid)
    body.add(pid)
    body.add(start)
    body.add(length)
    body.add(offset)
    body += padded(path)
    kernelRecord(1, misc: 2, body, time: time)
  }

  /// A fork (7) or exit (4).
  mutating func task(
    _ kind: UInt32, pid: UInt32, tid: UInt32, parentPID: UInt32, parentTID: UInt32, time: UInt64
  ) {
    var body: [UInt8] = []
    body.add(pid)
    body.add(parentPID)
    body.add(tid)
    body.add(parentTID)
    body.add(time)
    kernelRecord(kind, body, time: time)
  }

  mutating func lost(_ count: UInt64, time: UInt64, cpu: UInt32 = 0) {
    var body: [UInt8] = []
    body.add(Self.ids)
    body.add(count)
    kernelRecord(2, body, time: time, cpu: cpu)
  }

  mutating func lostSamples(_ count: UInt64, time: UInt64) {
    var body: [UInt8] = []
    body.add(count)
    kernelRecord(13, body, time: time)
  }

  mutating func finishedRound() { record(68, []) }

  /// Appends bytes as they are.
  mutating func raw(_ bytes: [UInt8]) { records += bytes }

  private func padded(_ text: String) -> [UInt8] {
    let bytes = Array(text.utf8) + [0]
    return bytes + [UInt8](repeating: 0, count: (8 - bytes.count % 8) % 8)
  }

  // MARK: the file

  /// The whole file.
  func file() -> [UInt8] {
    let entry = attributeSize + 16
    let attributes = 104
    let ids = attributes + events.count * entry
    let data = ids + events.count * 8
    var bytes = Array("PERFILE2".utf8)
    bytes.add(UInt64(104))
    bytes.add(UInt64(entry))
    bytes.add(UInt64(attributes))
    bytes.add(UInt64(events.count * entry))
    bytes.add(UInt64(data))
    bytes.add(UInt64(records.count))
    bytes.add(UInt64(0))
    bytes.add(UInt64(0))
    var bits: UInt64 = 1 << 4 | 1 << 6 | 1 << 11
    if hasTracingData { bits |= 1 << 1 }
    bytes.add(bits)
    bytes += [UInt8](repeating: 0, count: 24)
    for (index, event) in events.enumerated() {
      bytes += attribute(event)
      bytes.add(UInt64(ids + index * 8))
      bytes.add(UInt64(8))
    }
    for event in events { bytes.add(event.id) }
    bytes += records
    return bytes + features(at: bytes.count)
  }

  private func features(at start: Int) -> [UInt8] {
    var sections: [[UInt8]] = hasTracingData ? [tracingData()] : []
    sections.append(text(release))
    sections.append(text(machine))
    var line: [UInt8] = []
    line.add(UInt32(commandLine.count))
    for word in commandLine { line += text(word) }
    sections.append(line)
    var table: [UInt8] = []
    var content: [UInt8] = []
    for section in sections {
      table.add(UInt64(start + sections.count * 16 + content.count))
      table.add(UInt64(section.count))
      content += section
    }
    return table + content
  }

  private func attribute(_ event: Event) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.add(UInt32(2))
    bytes.add(UInt32(attributeSize))
    bytes.add(event.config)
    bytes.add(period)
    bytes.add(fullSampleType)
    bytes.add(UInt64(4))
    // inherit, enable_on_exec, sample_id_all, use_clockid.
    bytes.add(UInt64(1 << 1 | 1 << 18 | 1 << 25) | (enablesOnExec ? 1 << 12 : 0))
    bytes += [UInt8](repeating: 0, count: 32)
    bytes.add(registerMask)
    bytes.add(UInt32(stackBytes))
    bytes.add(UInt32(1))
    bytes += [UInt8](repeating: 0, count: max(0, attributeSize - bytes.count))
    return Array(bytes[..<attributeSize])
  }

  private func text(_ text: String) -> [UInt8] {
    var bytes: [UInt8] = []
    let padded = padded(text)
    bytes.add(UInt32(padded.count))
    return bytes + padded
  }

  private func tracingData() -> [UInt8] {
    var bytes: [UInt8] = [0x17, 0x08, 0x44] + Array("tracing0.6\0".utf8) + [0, 8]
    bytes.add(UInt32(4096))
    for name in ["header_page", "header_event"] {
      bytes += Array((name + "\0").utf8)
      bytes.add(UInt64(0))
    }
    bytes.add(UInt32(0))
    bytes.add(UInt32(1))
    bytes += Array("probe_program\0".utf8)
    bytes.add(UInt32(events.count))
    for event in events {
      var format = "name: \(event.name)\nID: \(event.config)\nformat:\n"
      format += "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n\n"
      let fields = event.isReturn ? ["__probe_func", "__probe_ret_ip"] : ["__probe_ip"]
      for (index, field) in fields.enumerated() {
        format += "\tfield:unsigned long \(field);\toffset:\(8 + index * 8);\tsize:8;\tsigned:0;\n"
      }
      bytes.add(UInt64(format.utf8.count))
      bytes += Array(format.utf8)
    }
    return bytes
  }
}

extension [UInt8] {
  /// Appends a little-endian number.
  mutating func add(_ value: some FixedWidthInteger) {
    var rest = value
    for _ in 0..<value.bitWidth / 8 {
      append(UInt8(truncatingIfNeeded: rest))
      rest >>= 8
    }
  }
}
