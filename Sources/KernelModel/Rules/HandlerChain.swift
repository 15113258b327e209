extension UprobeRules {
  /// What the results of entry handlers decide, and which return handlers run later.
  ///
  /// Evidence: handler_chain() of 6.11, 6.12 and 6.13; 4d756095d399 "uprobe: Add support for session
  /// consumer" (6.13).
  public enum HandlerChain: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// One bit of the result means anything. If all handlers ask for removal, the breakpoint leaves
    /// this address space. All return handlers registered at the time of the return run.
    case removeBit
    /// As before, but the breakpoint leaves only if the filters, asked again, do not want it.
    case removeBitFiltered
    /// Results are 0, remove (1) and ignore (2). A consumer with both handlers is a session: its
    /// return handler runs if its entry handler ran for the same call and gave neither.
    case sessions

    init(_ epoch: Epoch) {
      self = epoch < .e5 ? .removeBit : epoch < .e6 ? .removeBitFiltered : .sessions
    }
  }
}
