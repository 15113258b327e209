import ArgumentParser
import Replay

/// How a verdict becomes an exit status.
enum ExitConvention: String, ExpressibleByArgument, CaseIterable {
  /// 0 match, 1 diverged, 125 unjudged: what `git bisect run` understands.
  case bisect
  /// 0 match, 1 diverged, 4 skipped: the kernel's selftests.
  case kselftest

  func status(_ verdict: Verdict) -> ExitCode {
    switch (self, verdict) {
    case (_, .match): ExitCode(0)
    case (_, .diverged): ExitCode(1)
    case (.bisect, .unjudged): ExitCode(125)
    case (.kselftest, .unjudged): ExitCode(4)
    }
  }
}
