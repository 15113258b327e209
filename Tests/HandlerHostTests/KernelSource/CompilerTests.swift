import HandlerHost
import ProbeEvents
import Testing

/// Which compiler builds a kernel's code, and that it does not matter which.
@Suite(
  .enabled(if: KernelSources.hasDebian61, "there is no linux-source-6.1 to test with"), .serialized)
struct CompilerTests {
  /// Where clang is; nil, and a word about it, where it is not.
  static let clangPath: String? = {
    let found = try? HelperProcess.run(["sh", "-c", "command -v clang"])
    guard let found, found.status == 0 else {
      print("skipped: there is no clang to test with")
      return nil
    }
    return found.text.split(separator: "\n").joined()
  }()

  /// What a tape's replay comes to with the handler built by the compiler that `environment` says,
  /// which must be `name`.
  private func digest(
    _ environment: [String] = ["-u", "CC"], isBuiltBy name: String, _ more: String...
  ) throws -> String {
    let cache = try TemporaryDirectory()
    let outcome = try HelperProcess.run(
      ["/usr/bin/env"] + environment
        + ["XDG_CACHE_HOME=\(cache.path)", try CommandLineTool.path, "replay", "--handler"]
        + ["kernel:\(try KernelSources.debian61.get())"] + more
        + ["\(Repository.root)/recordings/x86_64/6.18.44/tail-chain.tape"])
    #expect(outcome.status == 0, "\(outcome.text)\(outcome.errors)")
    let built = try TemporaryDirectory.run("sh", "-c", "head -qn 1 \(cache.path)/*/*/*.c")
    #expect(built.hasPrefix("/* \(name) -std="))
    let digest = outcome.text.split(separator: "\n").joined().split(separator: " ").last
    return try #require(digest.map(String.init))
  }

  @Test(
    "gcc and clang build code that concludes the same", .enabled(if: clangPath != nil, "no clang"))
  func sameCode() throws {
    let gcc = try digest(isBuiltBy: "cc")
    #expect(try digest(["CC=clang"], isBuiltBy: "clang") == gcc)
    // Words behind the name are its arguments.
    #expect(try digest(["CC=clang -m64"], isBuiltBy: "clang -m64") == gcc)
  }

  @Test("clang's sanitizers are found and find nothing", .enabled(if: clangPath != nil, "no clang"))
  func clangSanitizers() throws {
    let plain = try digest(isBuiltBy: "cc")
    #expect(try digest(["CC=clang"], isBuiltBy: "clang", "--sanitize") == plain)
  }

  @Test("clang's sanitizers find a use after free", .enabled(if: clangPath != nil, "no clang"))
  func clangFindsUseAfterFree() throws {
    let copy = try PlantedTree(try KernelSources.debian61.get())
    let bug = BisectTests.useAfterFree
    try copy.replace(bug.old, by: bug.new, in: bug.file)
    let outcome = try CommandLineTool.run(
      environment: ["CC=clang"], "replay", "--sanitize", "--handler", "kernel:\(copy.path)",
      "\(Repository.root)/recordings/x86_64/6.18.44/tail-chain.tape")
    #expect(outcome.status == 1)
    #expect(outcome.text.contains("heap-use-after-free kernel/events/uprobes.c:"))
  }

  @Test("clang is taken where it is the only compiler", .enabled(if: clangPath != nil, "no clang"))
  func onlyClang() throws {
    let clang = try #require(Self.clangPath)
    let bin = try TemporaryDirectory()
    for program in [clang, "/usr/bin/ld", "/usr/bin/ld.gold"] {
      let name = program.split(separator: "/").last.map(String.init) ?? program
      try TemporaryDirectory.run("ln", "-s", program, "\(bin.path)/\(name)")
    }
    let other = try digest(["-u", "CC", "PATH=\(bin.path)"], isBuiltBy: "clang")
    #expect(try other == digest(isBuiltBy: "cc"))
  }
}
