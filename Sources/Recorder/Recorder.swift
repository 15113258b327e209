import ProbeEvents
public import TapeFormat

/// Records real uprobe hits of a command or of running processes.
///
/// What is made on the host (dynamic uprobe events, breakpoints, rings) is gone when ``run`` returns
/// or throws; what a killed recorder left is removed by the next one.
public struct Recorder {
  private let plan: RecordingPlan
  private let host: Host

  /// Checks the plan and the host as far as possible without attaching anything.
  public init(plan: RecordingPlan) throws(RecorderError) {
    guard !plan.probes.isEmpty else { throw .noProbes }
    guard RecordingPlan.stackBytesRange.contains(plan.stackBytes), plan.stackBytes % 8 == 0 else {
      throw .stackBytes(plan.stackBytes)
    }
    if let pages = plan.ringPages {
      guard (1...262_144).contains(pages), pages & (pages - 1) == 0 else {
        throw .ringPages(pages)
      }
    }
    switch plan.target {
    case .launch(let command): guard command.first?.isEmpty == false else { throw .noTarget }
    case .attach(let processes): _ = try AttachedProcesses(processes)
    }
    var places: Set<[String]> = []
    for probe in plan.probes {
      guard places.insert([probe.path, String(probe.fileOffset)]).inserted else {
        throw .duplicateProbe(path: probe.path, fileOffset: probe.fileOffset)
      }
      guard probe.referenceCounter.isMultiple(of: Probe.referenceCounterBytes) else {
        throw .misalignedReferenceCounter(path: probe.path, counter: probe.referenceCounter)
      }
      do throws(SystemFailure) {
        _ = try Syscalls.open(probe.path, flags: 0)
      } catch {
        throw .probedFile(path: probe.path, errno: error.number)
      }
    }
    self.plan = plan
    host = try Host()
    _ = try Tracefs.reach()
  }

  /// Records until the command ends, all attached processes are gone, or a signal asks to stop.
  ///
  /// - Parameters:
  ///   - progress: called about five times a second.
  ///   - makeSink: called once, when all is in place and before the first hit.
  public consuming func run(
    progress: (RecordingProgress) -> Void = { _ in },
    makeSink: (TapeHeader) throws -> any RecordingSink
  ) throws(RecorderError) -> RecordingSummary {
    var session = try RecordingSession(plan: plan, host: host)
    return try session.run(progress: progress, makeSink: makeSink)
  }
}
