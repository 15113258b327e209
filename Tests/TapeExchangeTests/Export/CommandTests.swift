import Foundation
import Testing

/// The verbs as a user runs them.
@Suite struct ExchangeCommandTests {
  private func run(_ command: String) throws -> String {
    try PerfHost.shell("TOOL='\(PerfHost.tool)'; " + command)
  }

  @Test func `import, from a file and from a pipe`() throws {
    let folder = try PerfHost.Folder()
    let data = Fixture.path("chain-pipe.data")
    let said = try run(
      """
      $TOOL import '\(data)' -o '\(folder.path)/a.tape' 2>&1
      $TOOL import - -o '\(folder.path)/b.tape' < '\(data)' 2>&1
      cat '\(data)' | $TOOL import - -o - 2>/dev/null | cmp - '\(folder.path)/a.tape'
      cmp '\(folder.path)/a.tape' '\(folder.path)/b.tape'
      $TOOL replay '\(folder.path)/a.tape'
      """)
    #expect(said.contains("8 hits (4 entries, 4 returns), 0 lost"))
    #expect(said.contains("match: 8 hits"))
  }

  @Test func `what cannot be imported ends with 125 and leaves no tape`() throws {
    let folder = try PerfHost.Folder()
    let said = try run(
      """
      cd '\(folder.path)'; echo hello > text
      $TOOL import text -o out.tape 2>&1; echo "status $?"
      $TOOL import none -o out.tape 2>&1; echo "status $?"
      $TOOL import '\(Fixture.path("chain.data"))' -o /none/out.tape 2>&1; echo "status $?"
      $TOOL import text 2>/dev/null; echo "status $?"
      ls
      """)
    #expect(said.contains("text: not a perf.data"))
    #expect(said.contains("cannot open none"))
    #expect(said.contains("cannot create /none/out.tape"))
    #expect(
      said.split(separator: "\n").filter { $0.hasPrefix("status") }
        == ["status 125", "status 125", "status 125", "status 64"])
    #expect(said.hasSuffix("text\n"))
  }

  @Test(arguments: ["perf-script", "folded", "chrome", "perfetto", "json"])
  func `export to a file, to standard output and to a reader that goes away`(format: String) throws
  {
    let folder = try PerfHost.Folder()
    let tape = Fixture.recording("sqlite3-malloc-free")
    let said = try run(
      """
      cd '\(folder.path)'
      $TOOL export --to \(format) '\(tape)' -o file
      $TOOL export --to \(format) '\(tape)' | cmp - file && echo same
      set -o pipefail
      $TOOL export --to \(format) '\(tape)' 2>&1 | head -c 10 > /dev/null; echo "status ${PIPESTATUS[0]}"
      """)
    #expect(said == "same\nstatus 0\n")
  }

  @Test func `wrong usage and wrong tapes`() throws {
    let said = try run(
      """
      $TOOL export --to svg x.tape 2>&1; echo "status $?"
      $TOOL export --to json /none.tape 2>&1; echo "status $?"
      $TOOL export --to json --weight money x.tape 2>/dev/null; echo "status $?"
      """)
    #expect(said.contains("perf-script, folded, chrome, perfetto, json"))
    #expect(
      said.split(separator: "\n").filter { $0.hasPrefix("status") }
        == ["status 64", "status 125", "status 64"])
  }
}
