public import ProbeEvents

/// One rule outside the return instances, and what it says in each epoch.
public struct RuleRow: Sendable, Hashable {
  /// The room of the model that the rule is for.
  public var room: String
  /// The rule's name.
  public var rule: String
  /// The name of the choice in each epoch, in the order of `Epoch.allCases`, or of
  /// `KprobeEpoch.allCases` for a rule of kprobes.
  public var values: [String]

  /// The rows of the rules that have a room, where some epoch differs from another.
  static func differing(_ rules: [some Any], rooms: [String: String]) -> [RuleRow] {
    // Reflection, so that no rule is forgotten.
    let all = rules.map { rules in
      Mirror(reflecting: rules).children.reduce(into: [String: String]()) { values, child in
        if let label = child.label { values[label] = "\(child.value)" }
      }
    }
    return rooms.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.compactMap { rule, room in
      let values = all.map { $0[rule] ?? "" }
      return Set(values).count > 1 ? RuleRow(room: room, rule: rule, values: values) : nil
    }
  }
}

extension UprobeRules {
  /// What differs between epochs on an architecture, the rules of return instances aside.
  public static func table(_ architecture: Architecture) -> [RuleRow] {
    var rooms = [
      "registrationChecks": "Registration", "probeLifetime": "Registration",
      "xolPageMove": "Mapping", "handlerChain": "Consumers", "strayBreakpoint": "BreakpointHit",
      "movedInstructionPointer": "BreakpointHit", "optimizedSites": "BreakpointHit",
      "failedFixUp": "SingleStep",
    ]
    switch architecture {
    case .x86_64: rooms["emulation"] = "Arch/X86_64"
    case .aarch64:
      rooms["simulation"] = "Arch/AArch64"
      rooms["compatRefusal"] = "Arch/AArch64"
    }
    return RuleRow.differing(
      Epoch.allCases.map { Self(epoch: $0, architecture: architecture) }, rooms: rooms)
  }
}

extension KprobeRules {
  /// What differs between epochs on an architecture.
  public static func table(_ architecture: Architecture) -> [RuleRow] {
    var rooms = [
      "stepReentry": "Kprobes/Hit", "handledHit": "Kprobes/Hit", "breakHandlers": "Kprobes/Hit",
      "handlerFault": "Kprobes/Hit", "stepFault": "Kprobes/Hit", "faultFlags": "Kprobes/Hit",
      "strayBreakpoint": "Kprobes/Hit", "stepping": "Kprobes/SingleStep",
      "blacklist": "Kprobes/Blacklist", "siteChecks": "Kprobes/Probe",
      "landingPad": "Kprobes/Probe", "ftraceInside": "Kprobes/Probe",
      "goneFtrace": "Kprobes/Modules", "returnProbesInNMI": "Kprobes/ReturnProbes",
      "returnStorage": "Kprobes/ReturnProbes", "defaultInstances": "Kprobes/ReturnProbes",
      "bootStage": "Kprobes/Boot",
    ]
    switch architecture {
    case .x86_64: rooms["trappingInstructions"] = "Kprobes/Arch/X86_64"
    case .aarch64:
      for rule in ["debugMask", "userBreakpoint", "debugDispatch", "simulation"] {
        rooms[rule] = "Kprobes/Arch/AArch64"
      }
    }
    return RuleRow.differing(
      KprobeEpoch.allCases.map { Self(epoch: $0, architecture: architecture) }, rooms: rooms)
  }
}

extension KprobeRules.SiteChecks: CustomStringConvertible {
  /// The names of the checks, `jumpLabel+bug`.
  public var description: String {
    let names: [(Self, String)] = [
      (.jumpLabel, "jumpLabel"), (.staticCall, "staticCall"), (.bug, "bug"),
      (.gateArea, "gateArea"), (.preamble, "preamble"),
    ]
    return names.filter { contains($0.0) }.map(\.1).joined(separator: "+")
  }
}
