import ProbeEvents
import Testing

@testable import Recorder

@Suite("Libraries a command will map")
struct LibraryTests {
  /// `lib<name>.so` in a directory, needing others.
  static func library(
    _ workshop: Workshop, _ name: String, in directory: String, returning value: Int,
    _ flags: String...
  ) throws {
    try workshop.run("mkdir", "-p", directory)
    try workshop.write("\(name).c", "int \(name)(void) { return \(value); }")
    try workshop.run(
      ["gcc", "-shared", "-fPIC", "-o", "\(directory)/lib\(name).so", "\(name).c"] + flags)
  }

  @Test("the closure of a program is what ldd prints")
  func closureAgainstLdd() throws {
    let workshop = try Workshop()
    for name in ["git", "bash", "ls", "gdb", "objdump"] {
      guard let path = CommandLookup.find(name, programPath: workshop.search().programPath) else {
        continue
      }
      let search = workshop.search()
      let closure = try LibraryClosure(
        program: path, search: search, cache: LoaderCache(path: search.libraryCache))
      let listed = try workshop.run("ldd", path).split(separator: "\n").compactMap { line in
        line.split { $0 == " " || $0 == "\t" }.first { $0.hasPrefix("/") }.map(String.init)
      }
      #expect(!listed.isEmpty)
      #expect(
        Set(closure.objects.map { FileIdentity.absolutePath(of: $0.path) })
          == Set(listed.map { FileIdentity.absolutePath(of: $0) }))
    }
  }

  @Test("RPATH, RUNPATH, $ORIGIN and LD_LIBRARY_PATH are searched in the loader's order")
  func searchOrder() throws {
    let workshop = try Workshop()
    for (index, directory) in ["one", "two", "three"].enumerated() {
      try Self.library(workshop, "dep", in: directory, returning: index)
    }
    try Self.library(
      workshop, "mid", in: "one", returning: 9, "-Wl,--no-as-needed", "-Lone", "-ldep")
    try workshop.write("p.c", "int mid(void); int main(void) { return mid(); }")
    for tag in ["--disable-new-dtags", "--enable-new-dtags"] {
      for libraryPath in [nil, workshop.path("three")] {
        try workshop.run(
          "gcc", "-o", "p", "p.c", "-Lone", "-lmid", "-Wl,-rpath-link,one", "-Wl,\(tag)",
          "-Wl,-rpath,$ORIGIN/two:${ORIGIN}/one")
        var search = workshop.search()
        search.libraryPath = libraryPath
        let resolver = ProbeResolver(command: [workshop.path("p")], search: search)
        let judged = try workshop.run(
          ["env", libraryPath.map { "LD_LIBRARY_PATH=" + $0 } ?? "X=", "ldd", "p"])
        let line = judged.split(separator: "\n").first { $0.contains("libdep.so") }
        let words = try #require(line).split(separator: " ")
        guard let file = words.first(where: { $0.hasPrefix("/") }) else {
          // RUNPATH is not handed on: neither the loader nor we find the library.
          #expect(line?.contains("not found") == true)
          guard case .nameNotFound? = try resolver.problem("uprobe:dep:dep") else {
            Issue.record("libdep was found where the loader finds none")
            continue
          }
          continue
        }
        let probes = try resolver.resolve([ProbeSpecification("uprobe:dep:dep")])
        #expect(probes.first?.path == FileIdentity.absolutePath(of: String(file)))
      }
    }
  }

  @Test("$LIB in a RUNPATH leads where this machine's loader goes")
  func libraryToken() throws {
    let workshop = try Workshop()
    for (index, directory) in ["lib64", "lib", "lib/x86_64-linux-gnu", "lib/aarch64-linux-gnu"]
      .enumerated()
    {
      try Self.library(workshop, "dep", in: directory, returning: index)
    }
    try workshop.write("p.c", "int dep(void); int main(void) { return dep(); }")
    try workshop.run("gcc", "-o", "p", "p.c", "-Llib", "-ldep", "-Wl,-rpath,$ORIGIN/$LIB")
    let line = try workshop.run("ldd", "p").split(separator: "\n").first {
      $0.contains("libdep.so")
    }
    let file = try #require(line?.split(separator: " ").first { $0.hasPrefix("/") })
    let probes = try workshop.resolver(command: [workshop.path("p")]).resolve([
      ProbeSpecification("uprobe:dep:dep")
    ])
    #expect(probes.first?.path == FileIdentity.absolutePath(of: String(file)))
  }

  @Test("the loader itself is found by its names")
  func loader() throws {
    let workshop = try Workshop()
    let path = try workshop.build("p", source: "int main(void) { return 0; }", as: "p.c")
    let interpreter = try #require(try ELFFile(path: path).dynamic().interpreter)
    #expect(try workshop.run("readelf", "-lW", path).contains("interpreter: \(interpreter)]"))
    for name in ["ld.so", LibraryClosure.lastPart(interpreter)] {
      let probe = try #require(
        try workshop.resolver(command: [path]).resolve([
          ProbeSpecification("uprobe:\(name):__tls_get_addr")
        ]).first)
      #expect(probe.path == FileIdentity.absolutePath(of: interpreter))
    }
  }

  @Test("the cache is read as ldconfig prints it")
  func cache() throws {
    let workshop = try Workshop()
    let printed = try workshop.run("sh", "-c", "PATH=$PATH:/sbin:/usr/sbin ldconfig -p")
    let paths = printed.split(separator: "\n").compactMap { line in
      line.ranges(of: " => ").first.map { String(line[$0.upperBound...]) }
    }
    let entries = LoaderCache(path: "/etc/ld.so.cache").entries
    #expect(!entries.isEmpty)
    #expect(entries.map(\.path).sorted() == paths.sorted())
  }

  @Test("a damaged cache gives fewer entries, never a trap")
  func damagedCache() throws {
    let bytes = try #require(SmallFile.contents(of: "/etc/ld.so.cache", limit: 1 << 24))
    for length in stride(from: 0, to: bytes.count, by: max(bytes.count / 97, 1)) {
      _ = LoaderCache(bytes: Array(bytes[..<length]))
    }
    for index in 0..<min(bytes.count, 400) {
      var changed = bytes
      changed[index] = 0xff
      #expect(LoaderCache(bytes: changed).entries.count <= bytes.count / 24)
    }
  }

  @Test("a library outside the command's own gets a remark, and a static command another")
  func remarks() throws {
    let workshop = try Workshop()
    let path = try workshop.build("p", source: "int main(void) { return 0; }", as: "p.c")
    let fixed = try workshop.build(
      "s", source: "int main(void) { return 0; }", as: "p.c", "-static")
    let inside = try workshop.resolver(command: [path]).resolution(
      of: [ProbeSpecification("uprobe:libc:malloc")])
    #expect(inside.notes.isEmpty)
    let outside = try workshop.resolver(command: [path]).resolution(
      of: [ProbeSpecification("uprobe:libstdc++:__cxa_throw")])
    #expect(outside.notes.count == 1)
    let never = try workshop.resolver(command: [fixed]).resolution(
      of: [ProbeSpecification("uprobe:libc:malloc")])
    #expect(never.notes.first?.contains("statically linked") == true)
  }

  @Test("a command is found as the shell finds it, and its own name means itself")
  func commands() throws {
    let workshop = try Workshop()
    try workshop.run("mkdir", "a", "b", "a/tool", "c")
    try workshop.write("b/tool", "not executable")
    _ = try workshop.build("c/tool", source: "int main(void) { return 0; }", as: "p.c")
    let path = ["a", "b", "c"].map { workshop.path($0) }.joined(separator: ":")
    let judged = try workshop.run(
      "sh", "-c", "PATH=\(path):$PATH; command -v tool"
    ).trimmedLine
    #expect(CommandLookup.find("tool", programPath: path) == judged)
    var search = workshop.search()
    search.programPath = path
    let resolver = ProbeResolver(command: ["tool", "x"], search: search)
    for text in ["main", "uprobe:tool:main", "uprobe:\(judged):main"] {
      #expect(try resolver.resolve([ProbeSpecification(text)]).first?.path == judged)
    }
  }

  @Test("names of files that attached processes have mapped are looked up among them")
  func mappedFiles() throws {
    let workshop = try Workshop()
    try Self.library(workshop, "dep", in: "one", returning: 1)
    let mapped = workshop.path("one/libdep.so")
    let resolver = ProbeResolver(command: [], mappedFiles: [mapped], search: workshop.search())
    for name in ["dep", "libdep", "libdep.so"] {
      #expect(
        try resolver.resolve([ProbeSpecification("uprobe:\(name):dep")]).first?.path == mapped)
    }
  }

  @Test("processor levels are those the loader of this machine lists")
  func processorLevels() throws {
    let workshop = try Workshop()
    let program = try workshop.build("p", source: "int main(void) { return 0; }", as: "p.c")
    let loader = try #require(try ELFFile(path: program).dynamic().interpreter)
    let help = try workshop.run(loader, "--help")
    let supported = help.split(separator: "\n").filter {
      $0.contains("x86-64-v") && $0.contains("(supported, searched)")
    }
    .compactMap { $0.split(separator: " ").first.map(String.init) }
    #expect(X86Levels.ofThisMachine() == supported)
  }
}
