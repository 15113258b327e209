public import ProbeEvents

/// What decides whether an address can be probed.
public struct KprobeSite: Sendable, Hashable {
  /// The address.
  public var address: Address
  /// The instruction there.
  public var instruction: KprobeInstruction
  /// Whether it is the kernel's own text.
  public var isCore = false
  /// The module it is in.
  public var module: KernelModule?
  /// What else it is.
  public var marks: Set<TextMark.Meaning> = []
  /// Whether it is on the blacklist.
  public var isBlacklisted = false
  /// Where it is in a call of the function tracer.
  public var ftrace = Ftrace.none
  /// Whether this kernel can probe by the function tracer.
  public var canUseFtrace = true

  /// Where an address is in a call of the function tracer.
  public enum Ftrace: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// Not in one.
    case none
    /// At its start.
    case start
    /// Behind its start.
    case inside
  }

  /// A site outside of all text.
  public init(address: Address, instruction: KprobeInstruction) {
    self.address = address
    self.instruction = instruction
  }
}

extension KprobeRules {
  /// Whether the probe at a site uses the function tracer; throws if the site is refused. The
  /// checks are in the kernel's order.
  ///
  /// Kernel: kernel/kprobes.c check_ftrace_location(), check_kprobe_address_safe()
  public func check(_ site: KprobeSite) throws(KprobeError) -> Bool {
    switch (site.ftrace, ftraceInside, site.canUseFtrace) {
    case (.none, .refused, true), (.none, .refused, false), (.none, .notSpecial, true),
      (.none, .notSpecial, false), (.inside, .notSpecial, true), (.inside, .notSpecial, false),
      (.start, .refused, true), (.start, .notSpecial, true):
      break
    case (.inside, .refused, true): throw .insideFtraceCall
    case (.start, .refused, false), (.start, .notSpecial, false), (.inside, .refused, false):
      throw .ftraceUnavailable
    }
    guard site.isCore || site.module != nil else { throw .notText }
    if site.isBlacklisted { throw .blacklisted }
    if !siteChecks.isDisjoint(with: SiteChecks(site.marks)) { throw .reserved }
    if !site.isCore, let module = site.module {
      guard module.canBePinned else { throw .moduleGoing }
      if module.initText.contains(site.address) && module.state != .coming {
        throw .moduleInitFreed
      }
    }
    return site.ftrace == .start
  }
}

extension KprobeRules.SiteChecks {
  /// The checks that marks would fail, in a kernel that has them.
  init(_ marks: Set<TextMark.Meaning>) {
    self = []
    if marks.contains(.jumpLabel) { insert(.jumpLabel) }
    if marks.contains(.staticCall) { insert(.staticCall) }
    if marks.contains(.bug) { insert(.bug) }
    if marks.contains(.gateArea) { insert(.gateArea) }
    if marks.contains(.preamble) { insert(.preamble) }
  }
}
