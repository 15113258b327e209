/// A callchain as the kernel gives it in samples: addresses between marks that say which mode they
/// belong to (`enum perf_callchain_context` in `include/uapi/linux/perf_event.h`).
package enum UserCallchain {
  /// `PERF_CONTEXT_USER`: user addresses follow.
  package static let userMark = UInt64(bitPattern: -512)
  /// `PERF_CONTEXT_MAX`: what is not below is a mark.
  private static let firstMark = UInt64(bitPattern: -4095)
  /// `PERF_MAX_STACK_DEPTH`: addresses that the kernel follows unless told otherwise
  /// (`kernel.perf_event_max_stack`).
  private static let depthLimit = 127

  /// Where the user addresses are, innermost first; empty where there are none.
  ///
  /// Those of other modes, and those that the kernel puts off until later, are passed over.
  package static func frames(in chain: Span<UInt64>) -> Range<Int> {
    guard let mark = chain.indices.first(where: { chain[$0] == userMark }) else { return 0..<0 }
    let first = mark + 1
    var end = first
    while end < chain.count, chain[end] < firstMark { end += 1 }
    return first..<end
  }

  /// Why a chain of so many user addresses has no more. The kernel does not say: it stops where the
  /// frame pointer does not lead on, which may be the outermost frame or not.
  package static func ending(count: Int) -> StackEnding {
    count >= depthLimit ? .frameLimit : .noUnwindInformation
  }
}
