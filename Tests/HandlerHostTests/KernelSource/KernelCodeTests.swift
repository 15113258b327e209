import HandlerHost
import ProbeEvents
import Replay
import TapeFormat
import Testing

/// The kernel's own code of Debian's 6.1 against the model of 6.1: two tellings of the same rules.
@Suite(.enabled(if: KernelSources.hasDebian61, "there is no linux-source-6.1 to test with"))
struct KernelCodeTests {
  @Test(
    "the kernel's code and the model conclude the same about every hit",
    arguments: Architecture.allCases)
  func agreesWithTheModel(architecture: Architecture) throws {
    let library = try Self.library(architecture)
    let model = try #require(HandlerChoice("model:6.1"))
    for situation in try Tapes.all(architecture) {
      let kernels = try Tapes.conclusions(situation.bytes, library: library)
      let models = try Tapes.conclusions(situation.bytes, model: model)
      #expect(kernels == models, "\(situation.testDescription)")
      #expect(kernels.last == "match", "\(situation.testDescription)")
    }
  }

  @Test("the same tree is built once")
  func isCached() throws {
    let tree = KernelTree(directory: try KernelSources.debian61.get())
    let first = try KernelSourceHandler.build(tree, architecture: .x86_64)
    let second = try KernelSourceHandler.build(tree, architecture: .x86_64)
    #expect(first == second)
  }

  @Test("a file that lost its liveness test is told from the original by a tape")
  func plantedBugDiverges() throws {
    let copy = try PlantedTree(try KernelSources.debian61.get())
    try copy.replace("sp <= ret->stack", by: "sp < ret->stack", in: PlantedTree.x86)
    let path = try KernelSourceHandler.build(
      KernelTree(directory: copy.path), architecture: .x86_64)
    let library = try HandlerLibrary(path: path)
    let lines = try Tapes.conclusions(Tapes.callAtFirstWord(), library: library)
    #expect(lines.last == "diverged")
  }

  @Test("a kernel that takes a 32-bit task for a 64-bit one writes where it must not")
  func compatWordSize() throws {
    let copy = try PlantedTree(try KernelSources.debian61.get())
    try copy.replace(
      "return user_64bit_mode(regs) ? 8 : 4;", by: "return in_ia32_syscall() ? 4 : 8;",
      in: PlantedTree.x86)
    let path = try KernelSourceHandler.build(
      KernelTree(directory: copy.path), architecture: .x86_64)
    var reader = try TapeReader(bytes: try Tapes.compat())
    let conclusion = try ForeignReplay.replay(
      &reader, library: try HandlerLibrary(path: path), name: "8 bytes")
    #expect(conclusion.divergences.first?.kind == .wrongMemory)
    #expect(conclusion.divergences.first?.hit == 0)
  }

  @Test("a half-deleted tree, another project and a symbol nobody knows have each their message")
  func badTrees() throws {
    #expect(throws: KernelSourceError.noDirectory("/no/such/tree")) {
      try KernelSourceHandler.build(
        KernelTree(directory: "/no/such/tree"), architecture: .x86_64)
    }
    let copy = try PlantedTree(try KernelSources.debian61.get())
    let tree = KernelTree(directory: copy.path)
    #expect(throws: KernelSourceError.self) {
      try KernelSourceHandler.build(
        KernelTree(directory: copy.path, revision: "HEAD"), architecture: .x86_64)
    }
    try copy.replace(
      "ri->chained = chained;", by: "ri->chained = chained; frobnicate(ri);", in: PlantedTree.core)
    #expect {
      try KernelSourceHandler.build(tree, architecture: .x86_64)
    } throws: { error in
      guard case .unknownSymbol(let name, let place)? = error as? KernelSourceError else {
        return false
      }
      return name == "frobnicate" && place.hasPrefix(PlantedTree.core)
    }
    try copy.remove(PlantedTree.x86)
    #expect(throws: KernelSourceError.incompleteTree(copy.path, missing: PlantedTree.x86)) {
      try KernelSourceHandler.build(tree, architecture: .x86_64)
    }
    let empty = try TemporaryDirectory()
    #expect {
      try KernelSourceHandler.build(
        KernelTree(directory: empty.path), architecture: .x86_64)
    } throws: { error in
      guard case .notAKernelTree? = error as? KernelSourceError else { return false }
      return true
    }
  }

  private static func library(_ architecture: Architecture) throws -> HandlerLibrary {
    let tree = KernelTree(directory: try KernelSources.debian61.get())
    return try HandlerLibrary(
      path: try KernelSourceHandler.build(tree, architecture: architecture))
  }
}

/// A copy of a kernel's files to plant bugs in.
struct PlantedTree {
  static let core = "kernel/events/uprobes.c"
  static let x86 = "arch/x86/kernel/uprobes.c"

  private let directory: TemporaryDirectory
  var path: String { directory.path }

  init(_ tree: String) throws {
    directory = try TemporaryDirectory()
    for part in ["kernel", "include", "arch"] {
      try TemporaryDirectory.run("cp", "-r", "\(tree)/\(part)", directory.path)
    }
  }

  /// Replaces the one place where a text occurs.
  func replace(_ old: String, by new: String, in file: String) throws {
    let whole = "\(path)/\(file)"
    let text = String(decoding: SmallFiles.read(whole, limit: 1 << 24) ?? [], as: UTF8.self)
    let parts = text.split(separator: old, omittingEmptySubsequences: false)
    guard parts.count == 2 else {
      throw KernelSources.Reason(description: "\(file) has '\(old)' \(parts.count - 1) times")
    }
    try SmallFiles.write(Array((parts[0] + new + parts[1]).utf8), to: whole)
  }

  func remove(_ file: String) throws {
    try TemporaryDirectory.run("rm", "\(path)/\(file)")
  }
}
