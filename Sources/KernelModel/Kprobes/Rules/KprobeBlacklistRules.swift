extension KprobeRules {
  /// What the blacklist is made of.
  ///
  /// Evidence: 3.10 has a list of names; 3.16 annotates functions (NOKPROBE_SYMBOL) and keeps the
  /// section of probe code apart; 4.19 is like that, 5.10 puts the sections on the list as areas,
  /// looks up the function behind a suffixed symbol, and takes in modules' lists (between 5.4.59
  /// and 5.8.1).
  public enum Blacklist: UInt8, Sendable, Hashable, CaseIterable, Comparable, BitwiseCopyable {
    /// Functions listed by name, and the section of probe code.
    case byName
    /// Annotated functions, and the section of probe code.
    case annotated
    /// Annotated functions and every function of whole sections; a suffixed symbol is judged by the
    /// function it was made from.
    case areas
    /// The same of modules, while they are loaded.
    case areasOfModules

    init(_ epoch: KprobeEpoch) {
      self =
        switch epoch {
        case .k0: .byName
        case .k1, .k2: .annotated
        case .k3, .k4: .areas
        case .k5, .k6, .k7, .k8, .k9, .k10, .k11, .k12, .k13, .k14, .k15: .areasOfModules
        }
    }

    /// Orders by time.
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
  }

  /// Places that are refused although they are text and not blacklisted.
  ///
  /// Evidence: check_kprobe_address_safe() of 4.19 knows jump labels only, 6.1.192 all of these.
  /// The gate area came with 5.19.9 and 5.10.143, the preamble of control-flow integrity with
  /// 6.1.53 and 5.10.195; the static calls and the trapping instruction of BUG lie in between.
  public struct SiteChecks: OptionSet, Sendable, Hashable {
    /// One bit for each.
    public var rawValue: UInt8

    /// A set from its bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// A branch that is patched at run time.
    public static let jumpLabel = SiteChecks(rawValue: 1)
    /// A call that is patched at run time.
    public static let staticCall = SiteChecks(rawValue: 2)
    /// The instruction of a BUG or WARN.
    public static let bug = SiteChecks(rawValue: 4)
    /// The page that emulates old system calls.
    public static let gateArea = SiteChecks(rawValue: 8)
    /// What the compiler puts before a function for control-flow integrity.
    public static let preamble = SiteChecks(rawValue: 16)

    init(_ epoch: KprobeEpoch) {
      self = .jumpLabel
      if epoch >= .k6 { insert(.staticCall) }
      if epoch >= .k10 { insert(.bug) }
      if epoch >= .k11 { insert(.gateArea) }
      if epoch >= .k13 { insert(.preamble) }
    }

    static func backported(to release: KernelRelease) -> SiteChecks {
      var checks: SiteChecks = []
      let hasGateArea =
        release.isStable(of: 5, 19, since: 9) || release.isStable(of: 5, 10, since: 143)
        || (release.major == 6 && release.minor <= 1)
      if hasGateArea { checks.insert(.gateArea) }
      if release.isStable(of: 6, 1, since: 53) || release.isStable(of: 5, 10, since: 195) {
        checks.insert(.preamble)
      }
      return checks
    }
  }
}
