public import ProbeEvents

/// The rules by which a kernel handles return instances.
///
/// Each rule is a named choice of its own, so that a kernel with backports, or a deliberately wrong
/// one, can be described; epochs and releases are only ways to fill them in. A small flat value:
/// handing it to every hit costs nothing.
public struct ReturnProbeRules: Sendable, Hashable {
  /// Which architecture's hooks apply.
  public var architecture: Architecture
  /// How dead instances are told.
  public var liveness: Liveness
  /// What popping does to the depth.
  public var depthAccounting: DepthAccounting
  /// Which children inherit instances.
  public var childInheritance: ChildInheritance
  /// What happens at the trampoline without an instance.
  public var noInstanceSignal: NoInstanceSignal
  /// How the trampoline enters the kernel.
  public var returnTrampoline: ReturnTrampoline
  /// When popped instances leave the list.
  public var popping: Popping
  /// The width of a return address in 32-bit tasks.
  public var compatWordSize: CompatWordSize

  /// The rules of an epoch, where they changed within it those of its last kernel.
  ///
  /// arm64 has had uprobes since 4.10 only. For epochs before ``Epoch/e3`` its rules are what its
  /// hooks would have done in those kernels.
  public init(epoch: Epoch, architecture: Architecture) {
    self.architecture = architecture
    liveness = Liveness(epoch)
    depthAccounting = DepthAccounting(epoch)
    childInheritance = ChildInheritance(epoch)
    noInstanceSignal = NoInstanceSignal(epoch)
    returnTrampoline = ReturnTrampoline(epoch, architecture)
    popping = Popping(epoch)
    compatWordSize = CompatWordSize(epoch)
  }

  /// The rules of the kernel a tape was recorded on: what was observed, and for the rest what its
  /// release usually does. A release that says nothing counts as the newest.
  public init(kernel: KernelFacts) {
    let newest = Self(epoch: .e9, architecture: kernel.architecture)
    let release = KernelRelease(kernel)
    if let release, let epoch = Epoch(release) {
      self.init(epoch: epoch, architecture: kernel.architecture)
      noInstanceSignal = NoInstanceSignal(epoch, release)
      compatWordSize = CompatWordSize(release)
    } else {
      self = newest
    }
    observe(kernel)
  }

  /// Lets facts override defaults. A value that no rule knows changes nothing.
  private mutating func observe(_ kernel: KernelFacts) {
    if let value = kernel[.returnTrampoline]?.value,
      let observed = ReturnTrampoline(rawValue: value)
    {
      returnTrampoline = observed
    }
    if let value = kernel[.noInstanceSignalCode]?.value,
      let observed = NoInstanceSignal.allCases.first(where: {
        $0.number == noInstanceSignal.number && $0.code.map(String.init) == value
      })
    {
      noInstanceSignal = observed
    }
  }
}
