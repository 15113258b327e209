import ArgumentParser
import ProbeEvents
import Recorder
import SystemPackage
import TapeFormat
import Unwinding

extension Probetape {
  /// `probetape record`: real hits onto a tape.
  struct Record: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "record",
      abstract: "Record real uprobe hits of a command or of running processes.",
      usage: "probetape record -e PROBE ... [-o TAPE] (-p PID[,PID] | -- COMMAND [ARG...])",
      discussion: """
        PROBE is uprobe:PATH:SYMBOL[+OFFSET], uretprobe:PATH:SYMBOL, uprobe:PATH:0xFILEOFFSET \
        (u: and ur: for short), usdt:PATH:PROVIDER:NAME, or SYMBOL and SYMBOL%return of the command or of -x PATH. \
        PATH may be a library's name, as in uretprobe:libc:malloc; * in SYMBOL matches any text. \
        A return probe records the entry as well.

        Exit status: 0 when every hit is on the tape, 1 when hits were lost or the recording \
        failed, 126 or 127 when the command could not be started. How the command ended is on the \
        tape and in the summary.
        """)

    @Option(name: .short, help: ArgumentHelp("What to probe.", valueName: "probe"))
    var event: [String] = []

    @Option(help: ArgumentHelp("Probe without a look at the file.", visibility: .hidden))
    var unchecked: [String] = []

    @Option(name: .short, help: ArgumentHelp("The tape to write; - for a pipe.", valueName: "tape"))
    var output = "probetape.tape"

    @Option(name: .short, help: ArgumentHelp("Attach to these processes.", valueName: "pid"))
    var process: [String] = []

    @Option(name: .short, help: ArgumentHelp("File of probes without PATH.", valueName: "path"))
    var x: String?

    @Option(help: "Bytes of user stack with each hit: a multiple of 8, 8 to 65528.")
    var stack: UInt32 = RecordingPlan.defaultStackBytes

    @Flag(
      name: .customShort("g"), help: "Unwind the user stack of each hit: --call-graph dwarf,8192.")
    var withStacks = false

    @Option(
      help: ArgumentHelp(
        """
        The user stack of each hit: dwarf unwinds it from so many bytes of it (--stack is what is \
        kept), fp takes the kernel's callchain by frame pointers.
        """,
        valueName: "fp|dwarf[,BYTES]"))
    var callGraph: CallGraph?

    @Option(name: .short, help: ArgumentHelp("Pages of each CPU's ring.", valueName: "pages"))
    var mmapPages: Int?

    @Option(name: .short, help: ArgumentHelp("zstd level, 1 to 19.", valueName: "level"))
    var zstdLevel: Int32 = TapeWriterOptions().compressionLevel

    @Flag(
      help: """
        Keep breakpoints in every process of the host that maps a probed file, and slow down all \
        of them. Before Linux 6.12, no hit of child processes is lost in shared libraries only so; \
        later kernels need no help.
        """)
    var hostBreakpoints = false

    @Flag(
      help:
        "Keep the kernel's own list of pending returns at every hit. Needs BTF, clang and libbpf.")
    var witness = false

    @Flag(name: .short, help: "No summary.")
    var quiet = false

    @Flag(name: .short, help: "Say what is probed.")
    var verbose = false

    @Argument(parsing: .postTerminator, help: "The command to record.")
    var command: [String] = []

    func validate() throws {
      guard !event.isEmpty || !unchecked.isEmpty else {
        throw ValidationError("Say what to probe with -e PROBE.")
      }
      guard command.isEmpty != process.isEmpty else {
        throw ValidationError("Name either processes with -p or a command after --.")
      }
      guard (1...19).contains(zstdLevel) else {
        throw ValidationError("-z takes a level from 1 to 19.")
      }
    }

    func run() throws {
      let probes = try resolve()
      let target: RecordingPlan.Target =
        process.isEmpty ? .launch(command) : .attach(try processes)
      let plan = RecordingPlan(
        probes: probes, target: target, stackBytes: max(stack, stacks?.stackBytes ?? 0),
        ringPages: mmapPages, hostBreakpoints: hostBreakpoints, readsWitness: witness,
        readsCallchain: stacks == .framePointers)
      do {
        try record(plan)
      } catch let error as RecorderError {
        if case .launch = error { try PreviousTape.restore(output) }
        Console.note("probetape: \(error.description)")
        throw ExitCode(error.shellStatus ?? 1)
      }
    }

    private var stacks: CallGraph? { callGraph ?? (withStacks ? .usual : nil) }

    private var processes: [Int32] {
      get throws {
        try process.flatMap { $0.split(separator: ",") }.map { text in
          guard let number = Int32(text), number > 0 else {
            throw ValidationError("'\(text)' is no process number.")
          }
          return number
        }
      }
    }

    private func resolve() throws -> [Probe] {
      do {
        let specifications = try event.map { try ProbeSpecification($0) }
        let mapped = process.isEmpty ? [] : MappedFiles.paths(of: try processes)
        // A probe without PATH is one of the program that runs.
        let program = try processes.first.map { "/proc/\($0)/exe" }
        let resolver = ProbeResolver(
          command: command, defaultPath: x ?? program, mappedFiles: mapped)
        let resolution = try resolver.resolution(of: specifications)
        for note in resolution.notes where !quiet { Console.note("probetape: \(note)") }
        if verbose { for probe in resolution.probes { Console.note(describe(probe)) } }
        return try resolution.probes + unchecked.map(UncheckedProbe.parse)
      } catch let error as ProbeSpecificationError {
        Console.note("probetape: \(error.description)")
        throw ExitCode(64)
      } catch let error as ProbeResolutionError {
        Console.note("probetape: \(error.description)")
        throw ExitCode(1)
      }
    }

    private func record(_ plan: RecordingPlan) throws {
      let recorder = try Recorder(plan: plan)
      let progress = RecordingProgressLine(isShown: !quiet)
      let options = TapeWriterOptions(compressionLevel: zstdLevel)
      var bytesWritten: () -> UInt64 = { 0 }
      var stackSink: StackRecordingSink?
      let summary = try recorder.run(progress: progress.show) { header in
        try PreviousTape.keep(output)
        if let stacks {
          let sink = try StackRecordingSink(
            header: header, stackBytes: stack,
            source: stacks == .framePointers ? .callchain : .window,
            search: StackFiles.search(nil, false),
            options: options, output: try TapeOutputArgument.open(output),
            now: { StackFiles.now })
          bytesWritten = { sink.writer.bytesWritten }
          stackSink = sink
          return sink
        }
        let sink = try TapeRecordingSink(
          header: header, options: options, output: try TapeOutputArgument.open(output))
        bytesWritten = { sink.writer.bytesWritten }
        return sink
      }
      progress.end()
      for warning in summary.warnings { Console.note("probetape: warning: \(warning)") }
      if !quiet { Console.note(RecordSummary.text(summary, output, bytesWritten())) }
      if let stackSink, !quiet { StackFiles.report(stackSink) }
      if summary.lost > 0 { throw ExitCode(1) }
    }

    private func describe(_ probe: Probe) -> String {
      let kind = probe.wantsReturn ? "uretprobe" : "uprobe"
      let offset = String(probe.fileOffset, radix: 16)
      let counter =
        probe.referenceCounter == 0
        ? "" : "(0x\(String(probe.referenceCounter, radix: 16)))"
      return "probetape: \(kind) \(probe.path):0x\(offset)\(counter) (\(probe.displayName))"
    }
  }
}

/// What `record` does with a tape that is there already.
enum PreviousTape {
  /// Renames a regular file of that name to `NAME.old`, as perf does.
  static func keep(_ path: String) throws {
    try FileKeeping.renameIfRegular(path, to: path + ".old")
  }

  /// Takes a tape away on which nothing could be recorded, and gives the previous one its name back.
  static func restore(_ path: String) throws {
    guard path != "-" else { return }
    try FileKeeping.removeIfRegular(path)
    try FileKeeping.renameIfRegular(path + ".old", to: path)
  }
}
