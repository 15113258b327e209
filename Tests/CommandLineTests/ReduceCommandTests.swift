import Foundation
import Testing

/// `reduce`, `diff`, `scrub` and `repair` as a user types them.
@Suite struct ReduceCommandTests {
  private static let longjmp = ReplayCommandTests.longjmp

  @Test func `reduce writes a smaller tape that diverges in the same way, and stat says from what`()
    throws
  {
    try Scratch.withFolder { folder in
      let small = folder + "/small.tape"
      let outcome = try Tool.run("reduce", "--handler", "model:4.2", Self.longjmp, "-o", small)
      #expect(outcome.status == 0)
      #expect(outcome.output == "")
      #expect(outcome.errors.contains("3 of 7 hits, wrongReturn at hit 2"))
      let replayed = try Tool.run("replay", "--handler", "model:4.2", small)
      #expect(replayed.status == 1)
      #expect(replayed.output.contains("hit 2, thread"))
      #expect(try Tool.run("replay", small).status == 0)
      let sum = try Tool.shell("sha256sum '\(Self.longjmp)' | cut -d' ' -f1").output
        .trimmingCharacters(in: .whitespacesAndNewlines)
      let stat = try Tool.run("stat", small)
      #expect(
        stat.output.contains(
          "derived   by reduce --handler model:4.2, from "
            + "longjmp-then-older-frame-returns.tape, sha256 \(sum)"))
    }
  }

  @Test func `one job or four, the reduced tape is the same to the byte`() throws {
    try Scratch.withFolder { folder in
      let big = folder + "/big.tape"
      _ = try Tool.run("synth", "--seed", "9", "--hits", "20000", "-o", big)
      for jobs in ["1", "4"] {
        let outcome = try Tool.run(
          "reduce", "--handler", "model:4.2", "-j", jobs, big, "-o", "\(folder)/\(jobs).tape")
        #expect(outcome.status == 0)
      }
      let one = try Data(contentsOf: URL(filePath: folder + "/1.tape"))
      #expect(try Data(contentsOf: URL(filePath: folder + "/4.tape")) == one)
    }
  }

  @Test func `a tape on which nothing diverges is said, with 125`() throws {
    try Scratch.withFolder { folder in
      let small = folder + "/small.tape"
      let outcome = try Tool.run("reduce", "--handler", "model", Self.longjmp, "-o", small)
      #expect(outcome.status == 125)
      #expect(outcome.errors.contains("does not diverge"))
      #expect(!FileManager.default.fileExists(atPath: small))
      #expect(try Tool.run("reduce", "--handler", "model", Self.longjmp).status == 64)
      #expect(
        try Tool.run("reduce", "--handler", "model", Self.longjmp, "-o", Self.longjmp).status == 64)
    }
  }

  @Test func `diff of a tape with itself is equal, with another one different`() throws {
    let same = try Tool.run("diff", Self.longjmp, Self.longjmp)
    #expect(same.status == 0)
    #expect(same.output == "equal: 7 hits of 1 threads\n")
    let other = try Tool.run("diff", Self.longjmp, ReplayCommandTests.tailChain)
    #expect(other.status == 1)
    #expect(other.output.contains("hit 0 of the first, hit 0 of the second"))
    #expect(try Tool.run("diff", Self.longjmp, "no-such.tape").status == 125)
  }

  @Test func `diff of a cut tape cannot say equal`() throws {
    try Scratch.withFolder { folder in
      let cut = folder + "/cut.tape"
      let bytes = try Data(contentsOf: URL(filePath: Self.longjmp))
      try bytes.prefix(bytes.count - 10).write(to: URL(filePath: cut))
      let outcome = try Tool.run("diff", Self.longjmp, cut)
      #expect(outcome.status == 125)
      #expect(outcome.errors.contains("not all could be compared"))
    }
  }

  @Test(.enabled(if: RecordCommandTests.canRecord, RecordCommandTests.why))
  func `two recordings of one program are equal, of another run they are not`() throws {
    try Scratch.withFolder { folder in
      let source = """
        #include <pthread.h>
        #include <stdlib.h>
        __attribute__((noinline)) int leaf(int n) { __asm__ volatile(""); return n + 1; }
        __attribute__((noinline)) int node(int n) { __asm__ volatile(""); return n ? node(n - 1) + leaf(n) : 0; }
        static void *body(void *n) { node((int)(long)n); return 0; }
        int main(int argc, char **argv) {
          pthread_t t[3];
          for (long i = 0; i < 3; i++) pthread_create(&t[i], 0, body, (void *)(i + atoi(argv[1])));
          for (int i = 0; i < 3; i++) pthread_join(t[i], 0);
          return 0;
        }
        """
      try source.write(toFile: folder + "/p.c", atomically: true, encoding: .utf8)
      let made = try Tool.shell(
        "cd '\(folder)' && cc -O1 -pthread p.c -o p && "
          + "for i in 1 2 3; do $TOOL record -q -e leaf%return -e node%return -o $i.tape "
          + "-- ./p $((4 + i / 3)); done")
      #expect(made.status == 0, "\(made.errors)")
      for flags in [[], ["--registers"]] {
        let same = try Tool.shell(
          "$TOOL diff \(flags.joined(separator: " ")) '\(folder)/1.tape' '\(folder)/2.tape'")
        #expect(same.status == 0, "\(same.output)")
        #expect(same.output.contains("of 4 threads") || same.output.contains("of 3 threads"))
      }
      let other = try Tool.shell("$TOOL diff '\(folder)/1.tape' '\(folder)/3.tape'")
      #expect(other.status == 1)
      #expect(other.output.contains("+ hit") && other.output.contains("node"))
    }
  }

  @Test func `scrub takes away, checks, and replays the same`() throws {
    try Scratch.withFolder { folder in
      let clean = folder + "/clean.tape"
      #expect(try Tool.run("scrub", "--check", Self.longjmp).status == 1)
      let outcome = try Tool.run("scrub", Self.longjmp, "-o", clean)
      #expect(outcome.status == 0)
      #expect(outcome.errors.contains("register values"))
      let checked = try Tool.run("scrub", "--check", clean)
      #expect(checked.status == 0)
      #expect(checked.errors == "")
      let digest = /digest [0-9a-f]{16}/
      let before = try Tool.run("replay", "--format", "text", Self.longjmp).output
      let after = try Tool.run("replay", "--format", "text", clean).output
      #expect(before.firstMatch(of: digest)?.output == after.firstMatch(of: digest)?.output)
      #expect(try Tool.run("diff", Self.longjmp, clean).status == 0)
      #expect(try Tool.run("stat", clean).output.contains("derived   by scrub, from "))
      #expect(try Tool.run("scrub", Self.longjmp).status == 64)
    }
  }

  @Test func `repair writes what can be read, and says what is lost`() throws {
    try Scratch.withFolder { folder in
      let big = folder + "/big.tape"
      _ = try Tool.run("synth", "--seed", "2", "--hits", "100000", "-o", big)
      var bytes = try Data(contentsOf: URL(filePath: big))
      bytes[bytes.count / 2] ^= 0x40
      try bytes.write(to: URL(filePath: big))
      let mended = folder + "/mended.tape"
      let outcome = try Tool.run("repair", big, "-o", mended)
      #expect(outcome.status == 0)
      #expect(outcome.errors.contains("1 damaged parts left out"))
      let stat = try Tool.run("stat", mended)
      #expect(stat.output.contains(": complete"))
      #expect(stat.output.contains("derived   by repair, from big.tape"))
      #expect(try Tool.run("replay", mended).status == 125)
      #expect(try Tool.run("repair", "/dev/null", "-o", mended).status == 125)
    }
  }

  @Test func `replay and show explain a divergence`() throws {
    let sentence =
      "the kernel returned p_outer, pushed at hit 1, but the handler still held 3 newer instances"
    let replayed = try Tool.run("replay", "--handler", "model:4.2", Self.longjmp)
    #expect(replayed.output.contains("    why: " + sentence))
    #expect(replayed.output.contains("rules: model:4.2 (E2, kernels 3.13 - 4.2)"))
    let shown = try Tool.run("show", "--handler", "model:4.2", Self.longjmp)
    #expect(shown.output.contains("#   why: " + sentence))
  }
}
