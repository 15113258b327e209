import HandlerHost
import ProbeEvents
import Testing

/// A bug put into a kernel's code on purpose, and the tape that shows it.
struct PlantedBug: CustomTestStringConvertible, Sendable {
  var testDescription: String
  var file = PlantedTree.core
  var old: String
  var new: String
  var tape: @Sendable () throws -> [UInt8]
  var needsSanitizer = false
}

/// Real git repositories made of Debian's kernel source, each with one bug among harmless commits.
@Suite(
  .enabled(if: KernelSources.hasDebian61, "there is no linux-source-6.1 to test with"), .serialized)
struct BisectTests {
  static let bugs = [
    PlantedBug(
      testDescription: "swapped comparison", file: PlantedTree.x86, old: "sp <= ret->stack",
      new: "sp < ret->stack", tape: { try Tapes.callAtFirstWord() }),
    PlantedBug(
      testDescription: "dropped clean-up", old: "cleanup_return_instances(utask, chained, regs);",
      new: "", tape: { try Tapes.longjmp(.x86_64) }),
    PlantedBug(
      testDescription: "limit check moved", old: "if (utask->depth >= MAX_URETPROBE_DEPTH) {",
      new:
        "cleanup_return_instances(utask, false, regs); if (utask->depth >= MAX_URETPROBE_DEPTH) {",
      tape: { try Tapes.limitWithoutCleanUp(.x86_64) }),
    PlantedBug(
      testDescription: "chained flag lost", old: "ri->chained = chained;",
      new: "ri->chained = false;", tape: { try Tapes.chain(.x86_64) }),
    PlantedBug(
      testDescription: "wrong handler order",
      old: "instruction_pointer_set(regs, ri->orig_ret_vaddr);",
      new: """
        instruction_pointer_set(regs, ri->orig_ret_vaddr);
        { struct return_instance *all[64], *each; int count = 0;
          for (each = ri; each != next; each = each->next) all[count++] = each;
          while (valid && count) handle_uretprobe_chain(all[--count], regs);
          valid = true; for (each = ri; each != next; each = free_ret_instance(each)) utask->depth--;
          utask->return_instances = next; return; }
        """, tape: { try Tapes.chain(.x86_64) }),
    PlantedBug(
      testDescription: "missing SIGILL", old: "sending SIGILL.\");\n\tforce_sig(SIGILL);\n\n}",
      new: "sending SIGILL.\");\n}", tape: { try Tapes.stray(.x86_64) }),
    PlantedBug(
      testDescription: "fork copy lost", old: "if (dup_utask(t, utask))",
      new: "return; if (dup_utask(t, utask))", tape: { try Tapes.fork(.x86_64) }),
    useAfterFree,
  ]

  static let useAfterFree = PlantedBug(
    testDescription: "use after free",
    old: "ri = free_ret_instance(ri);\n\t\t\tutask->depth--;",
    new: "free_ret_instance(ri); ri = ri->next; utask->depth--;",
    tape: { try Tapes.chain(.x86_64) }, needsSanitizer: true)

  @Test("bisect finds the commit that planted the bug", arguments: bugs)
  func findsPlanted(bug: PlantedBug) throws {
    let repository = try PlantedTree(try KernelSources.debian61.get())
    let names = try repository.commit(harmless: 9, bug: bug, at: 5)
    let tapes = try TemporaryDirectory()
    let tape = tapes.path + "/bug.tape"
    try SmallFiles.write(try bug.tape(), to: tape)
    var arguments = ["bisect", "--repo", repository.path, "--good", names[0], "--bad", "HEAD"]
    if bug.needsSanitizer { arguments.append("--sanitize") }
    let outcome = try HelperProcess.run([try CommandLineTool.path] + arguments + [tape])
    let output = String(decoding: outcome.output, as: UTF8.self)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(output.hasPrefix("The first bad commit is \(names[5])"))
    #expect(output.contains("plant: \(bug.testDescription)"))
    // The divergence is explained, and the command that is said to repeat it does.
    #expect(output.contains("    expected: ") && output.contains("    rule:     "))
    let tool = try CommandLineTool.path
    let last = try #require(output.split(separator: "\n").last { $0.hasPrefix("Repeat it: ") })
    let repeated = String(last).replacing("Repeat it: probetape ", with: "\(tool) ")
    let again = try HelperProcess.run(["sh", "-c", repeated])
    #expect(again.status == 1, "\(repeated)\(again.errors)")
    if bug.needsSanitizer {
      // Places are named as the tree names them, without the directory we ran in.
      #expect(again.text.contains("heap-use-after-free kernel/events/uprobes.c:"))
    }
  }

  @Test("with good and bad reversed, bisect finds the fix; an end that lies is refused")
  func findsFix() throws {
    let bug = Self.bugs[3]
    let repository = try PlantedTree(try KernelSources.debian61.get())
    var names = try repository.commit(harmless: 4, bug: bug, at: 2)
    names.append(try repository.revert(bug))
    let tapes = try TemporaryDirectory()
    let tape = tapes.path + "/bug.tape"
    try SmallFiles.write(try bug.tape(), to: tape)
    let found = try CommandLineTool.run(
      "bisect", "--repo", repository.path, "--bad", names[3], "--good", "HEAD", tape)
    #expect(found.status == 0, "\(found.errors)")
    #expect(
      String(decoding: found.output, as: UTF8.self).hasPrefix(
        "The first fixed commit is \(names[names.count - 1])"))
    let lying = try CommandLineTool.run(
      "bisect", "--repo", repository.path, "--good", names[3], "--bad", "HEAD", tape)
    #expect(lying.status == 125)
    #expect(lying.errors.contains("was said to be"))
  }

  @Test("probetape is the body of git bisect run", arguments: bugs)
  func gitBisectRun(bug: PlantedBug) throws {
    let repository = try PlantedTree(try KernelSources.debian61.get())
    let names = try repository.commit(harmless: 6, bug: bug, at: 3)
    let tapes = try TemporaryDirectory()
    let tape = try tapes.file("bug.tape", try bug.tape())
    try repository.git("bisect", "start", "HEAD", names[0])
    let sanitize = bug.needsSanitizer ? ["--sanitize"] : []
    let output = try repository.git(
      ["bisect", "run", try CommandLineTool.path, "replay", "--handler", "kernel:."] + sanitize
        + [tape])
    #expect(output.contains("\(names[3]) is the first bad commit"))
  }

  @Test("commits that do not build are skipped; where they hide the one in question, it is a range")
  func skips() throws {
    let bug = Self.bugs[3]
    let repository = try PlantedTree(try KernelSources.debian61.get())
    try repository.git("init", "-q")
    var names = [try repository.commit("import")]
    try repository.replace("#define UINSNS_PER_PAGE", by: "#define UINSNS_PER_PAGE ", in: Self.core)
    names.append(try repository.commit("harmless"))
    try repository.replace("ri->func = ", by: "ri->func = frobnicate + ", in: Self.core)
    names.append(try repository.commit("break the build"))
    try repository.replace(bug.old, by: bug.new, in: bug.file)
    names.append(try repository.commit("plant while it is broken"))
    try repository.replace("ri->func = frobnicate + ", by: "ri->func = ", in: Self.core)
    names.append(try repository.commit("mend the build"))
    let tapes = try TemporaryDirectory()
    let tape = try tapes.file("bug.tape", try bug.tape())
    let log = tapes.path + "/log"
    let outcome = try CommandLineTool.run(
      "bisect", "--repo", repository.path, "--good", names[0], "--bad", "HEAD", "--log", log, tape)
    #expect(outcome.status == 125)
    #expect(outcome.errors.contains("needs 'frobnicate'"))
    let lines = outcome.text.split(separator: "\n").map(String.init)
    #expect(lines.first == "The first bad commit is one of:")
    #expect(
      lines.dropFirst().map { $0.split(separator: " ", maxSplits: 1).last } == [
        "break the build", "plant while it is broken", "mend the build",
      ])
    // The log knows the way: nothing is asked again, and the answer is the same.
    let kept = String(decoding: SmallFiles.read(log, limit: 1 << 20) ?? [], as: UTF8.self)
    #expect(kept.contains("\(names[1]) old"))
    #expect(kept.contains("\(names[3]) skip"))
    let again = try CommandLineTool.run(
      "bisect", "--repo", repository.path, "--good", names[0], "--bad", "HEAD", "--log", log, tape)
    #expect(again.errors.contains("resuming from \(log): "))
    #expect(!again.errors.contains("skipping"))
    #expect(again.text == outcome.text)
  }

  @Test("an interrupted bisection goes on from its log, whose last line may be cut short")
  func resumes() throws {
    let bug = Self.bugs[3]
    let repository = try PlantedTree(try KernelSources.debian61.get())
    let names = try repository.commit(harmless: 9, bug: bug, at: 5)
    let tapes = try TemporaryDirectory()
    let tape = try tapes.file("bug.tape", try bug.tape())
    let log = tapes.path + "/log"
    let arguments = [
      try CommandLineTool.path, "bisect", "--repo", repository.path, "--good", names[0], "--bad",
      "HEAD", "--log", log, tape,
    ]
    let whole = try HelperProcess.run(arguments)
    #expect(whole.status == 0)
    let bytes = SmallFiles.read(log, limit: 1 << 20) ?? []
    let lines = bytes.split(separator: UInt8(ascii: "\n"))
    try #require(lines.count >= 4)
    // The question, one answer, and half of the next.
    let cut = lines[0] + [10] + lines[1] + [10] + lines[2].prefix(20)
    try SmallFiles.write(Array(cut), to: log)
    let resumed = try HelperProcess.run(arguments)
    #expect(resumed.errors.contains("resuming from \(log): 1 answers"))
    #expect(resumed.text == whole.text)
    // The file is as if nothing had happened.
    #expect(SmallFiles.read(log, limit: 1 << 20) == bytes)
  }

  private static let core = PlantedTree.core
}

extension PlantedTree {
  /// Makes a repository: the tree, then harmless commits with the bug among them. Returns the names
  /// of all commits, oldest first.
  func commit(harmless: Int, bug: PlantedBug, at place: Int) throws -> [String] {
    try git("init", "-q")
    var names = [try commit("import")]
    for number in 1...harmless {
      if number == place {
        try replace(bug.old, by: bug.new, in: bug.file)
        names.append(try commit("plant: \(bug.testDescription)"))
      } else {
        try append("/* \(number) */\n", to: PlantedTree.core)
        names.append(try commit("harmless \(number)"))
      }
    }
    return names
  }

  /// Takes the bug back.
  func revert(_ bug: PlantedBug) throws -> String {
    try replace(bug.new, by: bug.old, in: bug.file)
    return try commit("revert")
  }

  @discardableResult
  func git(_ arguments: String...) throws -> String { try git(arguments) }

  @discardableResult
  func git(_ arguments: [String]) throws -> String {
    let identity = ["-c", "user.name=Test", "-c", "user.email=test@localhost"]
    let outcome = try HelperProcess.run(["git", "-C", path] + identity + arguments)
    guard outcome.status == 0 else { throw KernelSources.Reason(description: outcome.errors) }
    return String(decoding: outcome.output, as: UTF8.self)
  }

  func commit(_ subject: String) throws -> String {
    try git("add", "-A")
    try git("commit", "-q", "-m", subject)
    return try git("rev-parse", "HEAD").split(separator: "\n").joined()
  }

  private func append(_ text: String, to file: String) throws {
    let whole = "\(path)/\(file)"
    let known = SmallFiles.read(whole, limit: 1 << 24) ?? []
    try SmallFiles.write(known + Array(text.utf8), to: whole)
  }
}
