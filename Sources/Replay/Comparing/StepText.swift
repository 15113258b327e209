import ProbeEvents

/// The text form of compared steps.
struct StepText {
  let names: ComparedNames

  func line(_ placed: ComparedTape.Placed) -> String {
    switch placed.step {
    case .hit(let hit): "hit \(placed.hit): " + describe(hit)
    case .fork(let isThread): "before hit \(placed.hit): makes a \(isThread ? "thread" : "process")"
    case .exec: "before hit \(placed.hit): exec"
    case .exit: "before hit \(placed.hit): exit"
    case .signal(let number, _, let isHandled, let place):
      "before hit \(placed.hit): signal \(number) at \(describe(place)), "
        + (isHandled ? "handled" : "not handled")
    }
  }

  private func describe(_ hit: NormalHit) -> String {
    let probe = names.probeNames[hit.probe]
    let ip = describe(hit.instructionPointer)
    let sp = describe(hit.stackPointer)
    switch hit.kind {
    case .entry:
      let from = hit.returnAddress.map { " from \(describe($0))" } ?? ""
      return "-> \(probe) (\(ip)\(from)) sp=\(sp)"
    case .return: return "<- \(probe) (\(ip) <- \(describe(hit.function))) sp=\(sp)"
    }
  }

  private func describe(_ address: NormalAddress) -> String {
    switch address {
    case .trampoline(let offset):
      offset == 0 ? "trampoline" : "trampoline+" + hexadecimal(offset)
    case .mapped(let file, let offset): "\(names.fileNames[file])+\(hexadecimal(offset))"
    case .stack(let number, let offset):
      "stack\(number)\(offset < 0 ? "-" : "+")\(hexadecimal(offset.magnitude))"
    case .other: "elsewhere"
    }
  }
}
