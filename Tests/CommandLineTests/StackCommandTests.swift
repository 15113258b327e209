import Foundation
import Recorder
import Testing

/// `record -g` and `unwind` as a user types them.
@Suite(.serialized) struct StackCommandTests {
  private static let source = """
    __attribute__((noipa)) int p(int n) { return n + 1; }
    __attribute__((noipa)) int mid(int n) { int r = p(n); __asm__("" : "+r"(r)); return r; }
    int main(void) { int r = 0; for (int i = 0; i < 500; i++) r = mid(r); return r != 500; }
    """

  private func inFolder(_ command: String) throws -> Tool.Outcome {
    try Scratch.withFolder { folder in
      try Data(Self.source.utf8).write(to: URL(filePath: folder + "/program.c"))
      return try Tool.shell("cd '\(folder)' && cc -O2 -g -o program program.c && " + command)
    }
  }

  @Test func `call graphs that do not exist are wrong usage`() throws {
    for kind in ["lbr", "fp,8", "dwarf,1", "dwarf,12", "dwarf,8192,1", ""] {
      let outcome = try Tool.run(
        "record", "--call-graph", kind, "-e", "uprobe:libc:malloc", "--", "/bin/true")
      #expect(outcome.status == 64, "\(kind)")
    }
  }

  @Test(.enabled(if: RecordCommandTests.canRecord, RecordCommandTests.why))
  func `unwind prints frames, and writes a tape that replays and shows them`() throws {
    let outcome = try inFolder(
      """
      $TOOL record -q --stack 4096 -e uretprobe:./program:p -o t.tape -- ./program &&
      $TOOL unwind t.tape >printed && $TOOL unwind t.tape -o s.tape && $TOOL replay s.tape &&
      $TOOL show s.tape >shown && grep -c ' mid+0x' printed && grep -c ' mid+0x' shown &&
      grep -c ' main+0x' printed && $TOOL show t.tape | grep -c ' mid+0x'; true
      """)
    #expect(outcome.output.contains("match: "))
    // Of each call an entry with p, mid and main, and a return into mid; without stacks none.
    #expect(outcome.output.hasSuffix("1000\n1000\n1000\n0\n"), "\(outcome)")
    #expect(outcome.errors.contains("1000 stacks"))
  }

  @Test(.enabled(if: RecordCommandTests.canRecord, RecordCommandTests.why))
  func `a file that is elsewhere is found under --symfs, and by debuginfod only when asked for`()
    throws
  {
    // What debuginfod's client does: the path of the file that has the build id.
    let outcome = try inFolder(
      """
      $TOOL record -q --stack 4096 -e uretprobe:./program:p -o t.tape -- ./program &&
      id=$(readelf -n program | sed -n 's/.*Build ID: //p') && mkdir -p "root$PWD" bin &&
      mv program "root$PWD/" &&
      printf '#!/bin/sh\necho "$@" >>"%s/asked"\n[ "$*" = "executable %s" ] && echo "%s"\n'       "$PWD" "$id" "$PWD/root$PWD/program" >bin/debuginfod-find && chmod +x bin/debuginfod-find &&
      export PATH="$PWD/bin:$PATH" &&
      $TOOL unwind t.tape | grep -c ' mid+0x'; ls asked 2>/dev/null
      $TOOL unwind --symfs root t.tape | grep -c ' mid+0x'; ls asked 2>/dev/null
      $TOOL unwind --debuginfod t.tape | grep -c ' mid+0x'; grep -c "$id" asked
      rm bin/debuginfod-find; PATH=$PWD/bin:/nowhere; "$TOOL" unwind --debuginfod t.tape >/dev/null
      """)
    #expect(outcome.output == "0\n1000\n1000\n1\n", "\(outcome)")
    #expect(outcome.errors.contains("install debuginfod"), "\(outcome.errors)")
  }

  @Test(.enabled(if: RecordCommandTests.canRecord, RecordCommandTests.why))
  func `record --call-graph fp keeps the kernel's stacks`() throws {
    let outcome = try inFolder(
      """
      cc -O2 -fno-omit-frame-pointer -o program program.c &&
      $TOOL record --call-graph fp -e uretprobe:./program:p -o f.tape -- ./program &&
      $TOOL replay f.tape && $TOOL show f.tape | grep -c ' mid+0x' &&
      $TOOL export --to folded f.tape | grep -c ';main;mid;p 500$' &&
      $TOOL export --to json f.tape | grep -c '"function":"mid"'
      """)
    #expect(outcome.output.contains("match: "))
    #expect(outcome.output.hasSuffix("1000\n1\n1000\n"), "\(outcome)")
  }

  @Test(.enabled(if: RecordCommandTests.canRecord, RecordCommandTests.why))
  func `record -g keeps stacks and not the bytes they were unwound from`() throws {
    let outcome = try inFolder(
      """
      $TOOL record -g -e uretprobe:./program:p -o g.tape -- ./program &&
      $TOOL replay g.tape && $TOOL show g.tape | grep -c ' main+0x' &&
      $TOOL show --json g.tape | head -1 | grep -o '"stack":\\[[^]]*\\]' | tr ',' '\\n' | wc -l
      """)
    #expect(outcome.output.contains("match: "))
    #expect(outcome.output.hasSuffix("1000\n8\n"), "\(outcome)")
    #expect(!outcome.errors.contains("have no stack"))
  }
}
