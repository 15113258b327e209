import Foundation
import Recorder
import Testing

/// `record` as a user types it. What needs a live kernel runs where the host allows it.
@Suite(.serialized) struct RecordCommandTests {
  static let canRecord = !Doctor.examine().contains { $0.verdict == .no }
  static let why: Comment = "this host cannot record (see probetape doctor)"

  @Test func `record without probe or without target is wrong usage`() throws {
    #expect(try Tool.run("record", "--", "/bin/true").status == 64)
    #expect(try Tool.run("record", "-e", "main").status == 64)
    #expect(try Tool.run("record", "-e", "main", "-p", "1", "--", "/bin/true").status == 64)
  }

  @Test func `an unknown symbol is said before anything runs`() throws {
    let outcome = try Tool.run("record", "-e", "uprobe:libc:mallocc", "--", "/bin/echo", "ran")
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("malloc"))
    #expect(outcome.output == "")
  }

  @Test(.enabled(if: canRecord, why))
  func `a recording goes to a tape that replays, and the target's output is its own`() throws {
    try Scratch.withFolder { folder in
      let outcome = try Tool.shell(
        "cd '\(folder)' && $TOOL record -e uretprobe:libc:malloc -e uretprobe:libc:free -o t.tape "
          + "-- /bin/sh -c 'echo out; echo err >&2; exit 3' && $TOOL replay t.tape")
      #expect(outcome.status == 0)
      #expect(outcome.output.hasPrefix("out\n"))
      #expect(outcome.errors.contains("err\n"))
      #expect(outcome.errors.contains("exit status 3"))
      #expect(outcome.output.contains("match: "))
    }
  }

  #if Witness
    static let canWitness =
      canRecord && FileManager.default.isReadableFile(atPath: "/sys/kernel/btf/vmlinux")

    @Test(.enabled(if: canWitness, "this host cannot record, or its kernel has no BTF"))
    func `a witness says at every hit what the model says`() throws {
      try Scratch.withFolder { folder in
        let outcome = try Tool.shell(
          "cd '\(folder)' && $TOOL record -q --witness -e uretprobe:libc:malloc -e uretprobe:libc:free "
            + "-o t.tape -- /bin/sh -c ': $(echo a) $(echo b)' && $TOOL replay --format json t.tape"
        )
        #expect(outcome.status == 0, "\(outcome.errors)")
        let report = try JSONDecoder().decode(WitnessReport.self, from: Data(outcome.output.utf8))
        let tape = try #require(report.tapes.first)
        #expect(tape.hits > 10)
        #expect(tape.evidence.witnesses >= tape.hits)
      }
    }

    @Test(
      .enabled(if: canWitness, "this host cannot record, or its kernel has no BTF"),
      arguments: [
        ("PATH=/usr/sbin:/sbin", "install clang"),
        (
          "unshare -m sh -c 'mount -t tmpfs none /sys/kernel/btf && exec \"$@\"' -",
          "CONFIG_DEBUG_INFO_BTF=y"
        ),
        ("setpriv --bounding-set -all --inh-caps -all", "record as root"),
      ])
    func `what a witness lacks is said before anything runs`(without: String, told: String) throws {
      let outcome = try Tool.shell(
        "\(without) \"$TOOL\" record --witness -e uretprobe:libc:malloc -- /bin/echo ran")
      #expect(outcome.status == 1, "\(outcome.errors)")
      #expect(outcome.errors.contains(told), "\(outcome.errors)")
      #expect(outcome.output == "")
    }

    private struct WitnessReport: Decodable {
      struct Evidence: Decodable { var witnesses: UInt64 }
      struct Tape: Decodable {
        var hits: UInt64
        var evidence: Evidence
      }
      var tapes: [Tape]
    }
  #else
    @Test func `without libbpf a witness is refused before anything runs`() throws {
      let outcome = try Tool.run(
        "record", "--witness", "-e", "uretprobe:libc:malloc", "--", "/bin/echo", "ran")
      #expect(outcome.status == 1)
      #expect(outcome.errors.contains("--traits Witness") || !Self.canRecord)
      #expect(outcome.output == "")
    }
  #endif

  @Test(.enabled(if: canRecord, why))
  func `a tape through a pipe is a tape`() throws {
    try Scratch.withFolder { folder in
      let outcome = try Tool.shell(
        "$TOOL record -q -e uretprobe:libc:malloc -o - -- /bin/sh -c : | cat > '\(folder)/p.tape'; "
          + "$TOOL replay '\(folder)/p.tape'")
      #expect(outcome.status == 0)
    }
  }

  @Test(.enabled(if: canRecord, why))
  func `a killed recorder leaves a tape that reads up to the last block`() throws {
    try Scratch.withFolder { folder in
      let outcome = try Tool.shell(
        """
        $TOOL record -q -e uretprobe:libc:malloc -o '\(folder)/k.tape' -- \
          /bin/bash -c 'for i in {1..400}; do printf -v x %s $i; read -t 0.01 <> <(:); done' &
        sleep 2; kill -9 $!; wait $! 2>/dev/null
        $TOOL stat --json '\(folder)/k.tape'; $TOOL replay '\(folder)/k.tape' >&2; echo "status $?"
        """)
      #expect(outcome.output.contains("\"complete\" : false"))
      #expect(!outcome.output.contains("\"hits\" : 0,"))
      #expect(outcome.output.hasSuffix("status 125\n"))
    }
  }

  @Test(.enabled(if: canRecord, why))
  func `a command that does not exist ends with 127 and leaves no tape`() throws {
    try Scratch.withFolder { folder in
      let tape = folder + "/n.tape"
      let outcome = try Tool.run(
        "record", "-e", "uprobe:libc:malloc", "-o", tape, "--", folder + "/no-such-program")
      #expect(outcome.status != 0)
      #expect(outcome.errors.contains("no-such-program"))
      #expect(!FileManager.default.fileExists(atPath: tape))
    }
  }

  @Test(.enabled(if: canRecord, why))
  func `a full disk is said, and the command goes on`() throws {
    try Scratch.withFolder { folder in
      let outcome = try Tool.shell(
        "$TOOL record -e uretprobe:libc:malloc -o /dev/full -- /bin/sh -c 'echo ran'")
      #expect(outcome.status == 1)
      #expect(outcome.errors.contains("/dev/full") || outcome.errors.contains("space"))
    }
  }
}
