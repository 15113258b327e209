public import ProbeEvents
public import SystemPackage
public import TapeFormat

/// Makes a tape of what `perf record` recorded of uprobe and uretprobe events.
///
/// Reads the perf.data twice, as a tape's header names the probes and only the hits tell where they
/// are; memory does not grow with the file. Supported: file and pipe mode, `-z`, `-a`, `-p`,
/// tracepoints made with `perf probe -x` or through tracefs, and the uprobe PMU, of x86-64 and arm64.
public enum PerfImport {
  /// Makes, for a tape, what names the frames of its stacks: of a table, those that are new in it.
  public typealias FrameNaming = (TapeHeader) -> (StackTable) -> [StackSymbol]

  /// Imports the file at a path.
  ///
  /// - Parameters:
  ///   - makeOutput: called when it is certain that there will be a tape.
  ///   - writer: the program's name and version, for the header.
  ///   - naming: called with the tape's header; what it returns finds the names for frames that are
  ///     new in a table of stacks.
  /// - Throws: ``ExchangeError`` when nothing can be imported. What is damaged further in, or cut off,
  ///   makes an incomplete tape instead: see ``ImportSummary/cut``.
  public static func run(
    path: String, writer: String, options: TapeWriterOptions = TapeWriterOptions(),
    naming: FrameNaming = { _ in { _ in [] } },
    makeOutput: () throws(TapeError) -> any TapeOutput
  ) throws(ExchangeError) -> ImportSummary {
    try run(try PerfInput(path: path), writer, options, naming, makeOutput)
  }

  /// Imports from a descriptor of a regular file, which stays the caller's to close.
  public static func run(
    descriptor: FileDescriptor, name: String, writer: String,
    options: TapeWriterOptions = TapeWriterOptions(),
    naming: FrameNaming = { _ in { _ in [] } },
    makeOutput: () throws(TapeError) -> any TapeOutput
  ) throws(ExchangeError) -> ImportSummary {
    try run(try PerfInput(descriptor: descriptor, name: name), writer, options, naming, makeOutput)
  }

  private static func run(
    _ input: PerfInput, _ writer: String, _ options: TapeWriterOptions, _ naming: FrameNaming,
    _ makeOutput: () throws(TapeError) -> any TapeOutput
  ) throws(ExchangeError) -> ImportSummary {
    var survey = PerfSurvey()
    var first = try PerfWalk(input)
    try first.run(into: &survey)
    survey.meet(first.session)
    let plan = try ImportPlan(first, survey, writer: writer)

    let output: any TapeOutput
    do {
      output = try makeOutput()
    } catch {
      throw .tape(error)
    }
    var tape = try ImportWriter(
      plan, options: options, output: output, names: naming(plan.header))
    var second = try PerfWalk(input)
    try second.run(into: &tape)
    try tape.finish(isWhole: second.cut == nil, lostMore: second.late &+ second.malformed)
    return summary(plan, second, tape)
  }

  private static func summary(
    _ plan: ImportPlan, _ walk: PerfWalk, _ tape: ImportWriter
  ) -> ImportSummary {
    var notes = plan.notes
    if walk.duplicates > 0 {
      notes.append("\(walk.duplicates) samples dropped: perf wrote them twice, byte for byte")
    }
    if walk.malformed > 0 {
      notes.append("\(walk.malformed) records left out as malformed, which counts as lost")
    }
    if walk.late > 0 {
      notes.append("\(walk.late) records are out of order, which counts as lost")
    }
    return ImportSummary(
      entries: tape.writer.entries, returns: tape.writer.returns, stacks: tape.stackCount,
      lost: max(tape.writer.lost, tape.lostSamples), duplicates: walk.duplicates,
      malformed: walk.malformed, late: walk.late, bytes: tape.writer.bytesWritten,
      cut: walk.cut?.description, notes: notes)
  }
}
