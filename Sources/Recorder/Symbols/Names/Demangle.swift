import CPerfEvent
import Glibc

/// The demangled form of a C++ symbol name, or nil when the name is not a mangled one.
///
/// A name whose demangled form would be out of all proportion is left mangled. GCC's suffixes are shown as it shows them itself: `foo(int) [clone .constprop.0]`.
public func demangle(_ name: String) -> String? {
  // A name comes from a file; the runtime's work grows with its length, and not only with that.
  guard name.utf8.starts(with: "_Z".utf8), name.utf8.count <= demangledNameLimit,
    DemanglingCost.estimate(Array(name.utf8)) <= DemanglingCost.limit
  else { return nil }
  // `name` is passed with its terminating zero and read up to there.
  guard let text = unsafe cperf_demangle(name) else { return nil }
  // The runtime returns a terminated string of its own making, ours to free.
  defer { unsafe free(text) }
  return unsafe String(cString: text)
}

private let demangledNameLimit = 4096
