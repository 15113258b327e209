import Foundation
import ProbeEvents
import Testing

@testable import Unwinding

extension LiveStackTests {
  /// The same program recorded with entry probes alone, so that no trampoline is ever on its stack, and
  /// with return probes: the stacks of the entries must be the same.
  @Suite(.serialized) struct TrampolineTests {
    /// The programs of tools/programs, with the probes that their head comments name.
    struct Situation: CustomStringConvertible, Sendable {
      var name: String
      var probes: [String]
      var arguments: [String]

      var description: String { name }

      static let all: [Situation] = {
        let folder = Workshop.top.appending(path: "tools/programs")
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return files.filter { $0.hasSuffix(".c") || $0.hasSuffix(".cpp") }.sorted().compactMap {
          file in
          guard let text = try? String(contentsOf: folder.appending(path: file), encoding: .utf8),
            // Stacks of 32-bit programs are not unwound.
            !text.contains(" -m32 ")
          else { return nil }
          func words(_ label: String) -> [String] {
            let line = text.split(separator: "\n").first { $0.hasPrefix("// \(label): ") }
            return line?.dropFirst(label.count + 5).split(separator: " ").map(String.init) ?? []
          }
          return Situation(
            name: file.split(separator: ".").first.map(String.init) ?? file,
            probes: words("Probes"),
            arguments: words("Arguments"))
        }
      }()
    }

    /// All programs, built once.
    private static let built: Workshop? = {
      guard let workshop = try? Workshop() else { return nil }
      let build = Workshop.top.appending(path: "tools/programs/build").path
      return (try? Workshop.run([build, workshop.folder.path])) == nil ? nil : workshop
    }()

    @Test func `there are situations`() {
      #expect(Situation.all.count > 30)
      #expect(Situation.all.allSatisfy { !$0.probes.isEmpty })
    }

    @Test(arguments: Situation.all)
    func `stacks are the same with return probes as without`(situation: Situation) throws {
      let folder = try #require(Self.built).folder
      let program = folder.appending(path: situation.name).path
      let command = [program] + situation.arguments
      let wanted = situation.probes.map { $0.replacingOccurrences(of: "PROGRAM", with: program) }
      let entriesAlone = wanted.map { $0.replacingOccurrences(of: "uretprobe:", with: "uprobe:") }
      let plain = try LiveStacks.stacks(of: LiveStacks.record(entriesAlone, command))
      let probed = try LiveStacks.stacks(of: LiveStacks.record(wanted, command))
        .filter { $0.kind == .entry }
      #expect(!plain.isEmpty && !probed.isEmpty)
      try compare(plain, probed)
    }

    /// A program that a return probe brings down has fewer hits; those that it has must be right. Threads
    /// are compared one by one, as their order is the scheduler's: those with most entries first, each
    /// with the one that has as few as can be, so that none takes what another needs.
    private func compare(_ plain: [LiveStacks.Stack], _ probed: [LiveStacks.Stack]) throws {
      func byThread(_ stacks: [LiveStacks.Stack]) -> [[LiveStacks.Stack]] {
        let threads = Dictionary(grouping: stacks, by: \.thread)
        return threads.values.sorted { $0.count > $1.count }
      }
      var left = Array(byThread(plain).reversed())
      for thread in byThread(probed) {
        let match = left.firstIndex { other in
          other.count >= thread.count
            && zip(other, thread).allSatisfy { $0.comparable == $1.comparable }
        }
        guard let match else {
          let closest = left.first { $0.count >= thread.count } ?? []
          let difference = zip(closest, thread).first { $0.comparable != $1.comparable }
          Issue.record(
            "\(thread.count) entries; without return probes \(difference?.0.comparable as Any), with \(difference?.1.comparable as Any)"
          )
          continue
        }
        left.remove(at: match)
      }
    }

    @Test func `a recursion has a frame for each call, with all trampolines put back`() throws {
      let workshop = try Workshop()
      let program = try workshop.compile(
        """
        __attribute__((noipa)) int p(int n) {
          if (n == 0) return 0;
          int r = p(n - 1);
          __asm__ volatile("" : "+r"(r));
          return r;
        }
        int main(void) {
            int r = p(40);
            __asm__ volatile("" : "+r"(r));
            return r;
          }
        """)
      let stacks = try LiveStacks.stacks(
        of: LiveStacks.record(["uretprobe:\(program):p"], [program]))
      let entries = stacks.filter { $0.kind == .entry }
      #expect(entries.count == 41)
      for (depth, stack) in entries.enumerated() {
        #expect(
          Array(stack.functions.prefix(depth + 2)) == Array(repeating: "p", count: depth + 1) + [
            "main"
          ])
        #expect(stack.ending == .complete)
        #expect(stack.functions.last == "_start")
      }
      // The first return is that of the innermost call, into the one that called it.
      let returns = stacks.filter { $0.kind == .return }
      #expect(returns.count == 41)
      for (depth, stack) in returns.enumerated() {
        #expect(stack.functions.first == (depth == 40 ? "main" : "p"))
        #expect(stack.functions.count == entries[40 - depth].functions.count - 1)
        #expect(stack.ending == .complete)
      }
    }
  }
}
