import ProbeEvents
import Testing

@testable import Recorder

@Suite("Files that cannot be probed")
struct TargetKindTests {
  /// The 64 bytes of an ELF header without anything behind it.
  static func header(
    wordSize: UInt8 = 2, byteOrder: UInt8 = 1, type: UInt8 = 2, machine: UInt8 = 62
  ) -> [UInt8] {
    var bytes: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, wordSize, byteOrder, 1]
    bytes += [UInt8](repeating: 0, count: 64 - bytes.count)
    bytes[16] = type
    bytes[18] = machine
    bytes[20] = 1
    bytes[52] = 64
    bytes[54] = 56
    bytes[58] = 64
    return bytes
  }

  @Test("each kind of wrong file has its own answer")
  func kinds() throws {
    let workshop = try Workshop()
    try workshop.write("32", Self.header(wordSize: 1, machine: 3))
    try workshop.write("big", Self.header(byteOrder: 2))
    try workshop.write("arm", Self.header(machine: 183))
    try workshop.write("risc", Self.header(machine: 243))
    try workshop.write("core", Self.header(type: 4))
    try workshop.write("object", Self.header(type: 1))
    try workshop.write("text", "int main;")
    try workshop.write("empty", "")
    try workshop.write("short", Array(Self.header().prefix(30)))
    try workshop.write("script", "#!/bin/sh -e\necho\n")
    try workshop.write("envScript", "#! /usr/bin/env sh\necho\n")
    try workshop.write("bare", Self.header())
    try workshop.run("mkfifo", "pipe")
    try workshop.run("mkdir", "folder")
    try workshop.run("ln", "-s", "nowhere", "dangling")
    var search = workshop.search()
    search.architecture = .x86_64
    let resolver = ProbeResolver(command: [], search: search)
    func path(_ name: String) -> String { workshop.path(name) }
    let expected: [(String, ProbeProblem)] = [
      ("32", .file(path: path("32"), .is32Bit(machine: 3))),
      ("big", .file(path: path("big"), .bigEndian)),
      ("arm", .wrongArchitecture(path: path("arm"), found: "aarch64", expected: "x86_64")),
      ("risc", .wrongArchitecture(path: path("risc"), found: "riscv", expected: "x86_64")),
      ("core", .notLoadable(path: path("core"))),
      ("object", .notLoadable(path: path("object"))),
      ("text", .file(path: path("text"), .notELF)),
      ("empty", .file(path: path("empty"), .notELF)),
      ("short", .file(path: path("short"), .damaged("the ELF header"))),
      ("script", .script(path: path("script"), interpreter: "/bin/sh")),
      ("bare", .stripped(path: path("bare"), looked: [], mismatched: [])),
      ("pipe", .file(path: path("pipe"), .notRegular)),
      ("folder", .file(path: path("folder"), .directory)),
      ("dangling", .file(path: path("dangling"), .missing)),
      ("missing", .file(path: path("missing"), .missing)),
    ]
    for (name, problem) in expected {
      #expect(try resolver.problem("uprobe:\(path(name)):main") == problem)
      #expect(!problem.description.isEmpty)
    }
    guard
      case .script(_, let shell)? = try resolver.problem("uprobe:\(path("envScript")):main")
    else {
      Issue.record("a script was taken for a program")
      return
    }
    #expect(shell == (try workshop.run("sh", "-c", "command -v sh")).trimmedLine)
  }

  @Test("a script as the command is answered with its interpreter, whose libraries are its own")
  func scriptCommand() throws {
    let workshop = try Workshop()
    let script = try workshop.write("script", "#!/bin/sh\necho\n")
    try workshop.run("chmod", "+x", "script")
    let resolver = workshop.resolver(command: [script])
    #expect(try resolver.problem("main") == .script(path: script, interpreter: "/bin/sh"))
    let probes = try resolver.resolve([ProbeSpecification("uprobe:libc:malloc")])
    #expect(probes.first?.path.hasSuffix("/libc.so.6") == true)
  }

  @Test("a name that leads nowhere says what is missing")
  func names() throws {
    let workshop = try Workshop()
    let resolver = workshop.resolver()
    #expect(try resolver.problem("main") == .noTarget)
    guard case .nameNotFound("libcc", let near)? = try resolver.problem("uprobe:libcc:malloc")
    else {
      Issue.record("libcc was found")
      return
    }
    #expect(near.contains("libc"))
    #expect(
      try workshop.resolver(command: ["no-such-command"]).problem("main")
        == .commandNotFound("no-such-command"))
  }
}

extension String {
  /// The text without the newline at its end.
  var trimmedLine: String { hasSuffix("\n") ? String(dropLast()) : self }
}
