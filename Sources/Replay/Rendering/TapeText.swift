public import ProbeEvents
public import TapeFormat

/// The text form of a tape: one line for each hit and side event, indented by call depth, with what
/// a handler concluded at the right.
public struct TapeText {
  /// Levels of indentation shown; deeper calls stay there.
  private static let indentMax = 16

  private let header: TapeHeader
  private let layout: RegisterLayout
  private var addresses = AddressBook()
  private var names: [ThreadIdentity: String] = [:]
  private var firstTime: UInt64?
  private var nextHit: UInt64 = 0
  private var depths: [ThreadIdentity: Int] = [:]

  /// The text form of a tape with the given header.
  public init(header: TapeHeader) {
    self.header = header
    layout = header.kernel.architecture.registerLayout
  }

  /// The lines above the first hit: kernel, command, probes.
  public var preamble: [String] {
    let kernel = header.kernel
    var lines = ["# kernel: \(printable(kernel.release)) \(kernel.architecture.name)"]
    for fact in kernel.facts {
      lines.append(
        "# fact: \(printable(fact.name))=\(printable(fact.value))\(fact.isObserved ? "" : " (assumed)")"
      )
    }
    if !header.command.isEmpty {
      lines.append("# command: \(header.command.map(printable).joined(separator: " "))")
    }
    if !header.attachedProcesses.isEmpty {
      let list = header.attachedProcesses.map(String.init).joined(separator: ",")
      lines.append("# attached to: \(list)")
    }
    for (index, probe) in header.probes.enumerated() {
      let kind = probe.wantsReturn ? "uretprobe" : "uprobe"
      let counter =
        probe.referenceCounter == 0
        ? "" : " reference counter \(hexadecimal(probe.referenceCounter))"
      lines.append(
        "# probe \(index): \(kind):\(printable(probe.path)):\(printable(probe.displayName)) "
          + "offset \(hexadecimal(probe.fileOffset))\(counter)")
    }
    return lines
  }

  /// The lines of one block. Only hits that `isWanted` accepts (by index on the tape and thread)
  /// give lines; side events do when `withSideEvents`.
  public mutating func lines(
    _ columns: HitColumns, _ conclusions: [AnnotatedConclusion], withSideEvents: Bool = true,
    isWanted: (UInt64, ThreadIdentity) -> Bool = { _, _ in true }
  ) -> [String] {
    var lines: [String] = []
    var side = 0
    var next = 0
    for index in 0...columns.count {
      while side < columns.sideEvents.count, columns.sideEvents[side].beforeHit <= index {
        let event = columns.sideEvents[side].event
        side += 1
        if withSideEvents { lines.append(line(event)) }
        note(event)
      }
      while next < conclusions.count, conclusions[next].hit == nextHit,
        case .signal(let number) = conclusions[next].conclusion
      {
        next += 1
        if withSideEvents { lines.append("  | the handler demands signal \(number), too") }
      }
      guard index < columns.count else { break }
      let thread = columns.threadTable[Int(columns.threads[index])]
      var conclusion: AnnotatedConclusion?
      while next < conclusions.count, conclusions[next].hit == nextHit {
        conclusion = conclusions[next]
        next += 1
      }
      let text = line(columns, index, thread, conclusion)
      if isWanted(nextHit, thread) {
        lines.append(text)
        lines.append(contentsOf: FrameText.lines(columns, index))
      }
      nextHit += 1
    }
    return lines
  }

  private mutating func line(
    _ columns: HitColumns, _ index: Int, _ thread: ThreadIdentity,
    _ conclusion: AnnotatedConclusion?
  ) -> String {
    let kind = columns.kinds[index]
    let before = depths[thread] ?? 0
    let after = conclusion?.depth ?? max(0, before + (kind == .entry ? 1 : -1))
    depths[thread] = after
    // Deep recursion must not push the rest off the line.
    let level = min(Self.indentMax, kind == .entry ? max(0, after - 1) : after)
    let indent = String(repeating: "  ", count: level)
    let body = kind == .entry ? entry(columns, index, thread) : returned(columns, index, thread)
    let prefix = place(thread, columns.cpus[index], columns.times[index])
    let left = pad("\(pad("\(nextHit)", to: 6)) \(prefix) \(indent)\(body)", to: 104)
    guard let conclusion else { return left }
    return left + " | " + describe(conclusion)
  }

  private func entry(_ columns: HitColumns, _ index: Int, _ thread: ThreadIdentity) -> String {
    let ip = addresses.text(columns.instructionPointers[index], in: thread.process)
    let start = Int(columns.windowStarts[index])
    var returnAddress: Address?
    if layout.linkRegister != nil {
      returnAddress = columns.linkRegisters[index]
    } else if Int(columns.windowStarts[index + 1]) > start {
      // A 32-bit program's word is the lower half.
      let word = columns.windowWords[start]
      returnAddress = columns.flags[index].contains(.compat) ? word & 0xFFFF_FFFF : word
    }
    let from = returnAddress.map { " from " + addresses.text($0, in: thread.process) } ?? ""
    let sp = hexadecimal(columns.stackPointers[index])
    return "-> \(name(columns.probes[index])) (\(ip)\(from)) sp=\(sp)"
  }

  private func returned(_ columns: HitColumns, _ index: Int, _ thread: ThreadIdentity) -> String {
    let function = addresses.text(columns.functions[index], in: thread.process)
    let ip = addresses.text(columns.instructionPointers[index], in: thread.process)
    let sp = hexadecimal(columns.stackPointers[index])
    return "<- \(name(columns.probes[index])) (\(ip) <- \(function)) sp=\(sp)"
  }

  private func name(_ probe: UInt32) -> String {
    Int(probe) < header.probes.count
      ? printable(header.probes[Int(probe)].displayName) : "probe \(probe)"
  }

  private mutating func place(_ thread: ThreadIdentity, _ cpu: UInt16, _ time: UInt64) -> String {
    let name = names[thread].map(printable) ?? ":\(thread.thread)"
    return "\(pad(name, to: 15)) \(pad("\(thread.thread)", to: 7)) "
      + "[\(zeros("\(cpu)", to: 3))] \(seconds(time)):"
  }

  private mutating func line(_ timed: TimedSideEvent) -> String {
    "     . \(pad("", to: 15)) \(pad("", to: 7))       \(seconds(timed.time)): "
      + SideEventText.describe(timed.event, addresses)
  }

  private mutating func note(_ timed: TimedSideEvent) {
    addresses.note(timed.event)
    switch timed.event {
    case .threadName(let identity, let name), .exec(let identity, let name):
      names[identity] = name
    case .fork(let fork):
      names[fork.child] = names[fork.parent]
    case .mapping, .exit, .signal, .lost, .attached, .witness: break
    }
  }

  /// Seconds since the first line, with nanoseconds.
  private mutating func seconds(_ time: UInt64) -> String {
    let first = firstTime ?? time
    firstTime = first
    let elapsed = time >= first ? time - first : 0
    return pad(Decimals.text(units: elapsed, 9), to: 13, left: true)
  }

  private func describe(_ annotated: AnnotatedConclusion) -> String {
    switch annotated.conclusion {
    case .entry(let entry): describe(entry, depth: annotated.depth)
    case .returned(let popped, let dropped):
      "returns hit \(EntryNumber.hit(popped.entry))\(dropped > 0 ? " (place \(dropped + 1))" : ""), "
        + "depth \(annotated.depth)"
    case .returnOfUnseenEntry: "was entered before recording began"
    case .signal(let number): "signal \(number)"
    case .unjudged: "not judged"
    case .diverged(let divergence):
      "DIVERGED \(divergence.kind.rawValue): expected \(divergence.expected)"
    }
  }

  private func describe(_ entry: EntryConclusion, depth: Int) -> String {
    let dropped = entry.dropped > 0 ? "\(entry.dropped) dead dropped, " : ""
    switch entry.outcome {
    case .noReturnProbe: return dropped + "no return probe"
    case .pushed: return dropped + "pushed, depth \(depth)"
    case .chained: return dropped + "chained, depth \(depth)"
    case .omittedAtDepthLimit: return dropped + "omitted: depth limit"
    case .chainWithoutInstance: return dropped + "tail call without instance"
    case .hijackFailed: return dropped + "return address not replaced"
    }
  }
}

/// A text from a tape as it may go to a terminal: control characters escaped.
func printable(_ text: String) -> String {
  guard text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
    return text
  }
  var escaped = ""
  for scalar in text.unicodeScalars {
    if scalar.properties.generalCategory == .control {
      escaped += "\\x" + zeros(String(scalar.value, radix: 16), to: 2)
    } else {
      escaped.unicodeScalars.append(scalar)
    }
  }
  return escaped
}

/// A text filled up with spaces.
func pad(_ text: String, to width: Int, left: Bool = false) -> String {
  let fill = String(repeating: " ", count: max(0, width - text.count))
  return left ? fill + text : text + fill
}

/// A number filled up with zeros.
func zeros(_ text: String, to width: Int) -> String {
  String(repeating: "0", count: max(0, width - text.count)) + text
}
