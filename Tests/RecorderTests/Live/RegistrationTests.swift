import Foundation
import InstructionDecoding
import KernelModel
import ProbeEvents
import Testing

@testable import Recorder

extension LiveTests {
  /// The running kernel and the model are asked to do the same, one after the other, and must agree
  /// on what they refuse, where breakpoints are and what reference counters count.
  @Suite("registration: the kernel and the model")
  struct RegistrationTests {
    /// Shows the first byte of two functions and the counter; some instructions are never executed.
    static let source = """
      #include <stdio.h>
      __attribute__((section(".data"))) volatile unsigned short counter = 0;
      __attribute__((section(".data"))) volatile unsigned short other = 0;
      #define PLACE(name, bytes) __asm__(".text\\n.globl " #name "\\n.type " #name \\
        ",@function\\n" #name ": .byte " bytes "\\n.size " #name ", .-" #name "\\n")
      PLACE(first, "0x55, 0x5d, 0xc3");
      PLACE(second, "0x90, 0xc3");
      PLACE(halt, "0xf4");
      PLACE(breakpoint, "0xcc");
      PLACE(locked, "0xf0, 0x48, 0xff, 0x07");
      PLACE(masking, "0x8e, 0xd0");
      PLACE(nothing, "0x06");
      PLACE(port, "0xe4, 0x10");
      PLACE(syscalling, "0x0f, 0x05");
      PLACE(vector, "0xc5, 0xfa, 0x6f, 0x00");
      PLACE(prefixed, "0x66, 0x74, 0x10");
      extern volatile unsigned char first[], second[];
      int main(void) {
        while (getchar() != EOF) {
          printf("%d %d %d\\n", first[0], second[0], counter);
          fflush(stdout);
        }
        return 0;
      }
      """

    #if arch(x86_64)
      static let isX86 = true
    #else
      static let isX86 = false
    #endif

    @Test(
      "instructions are refused, with which number, while a process maps them",
      .enabled(if: RegistrationTests.isX86, "the instructions are x86-64"),
      arguments: [
        "first": 0, "second": 0, "halt": 524, "breakpoint": 524, "locked": 524, "masking": 524,
        "nothing": 524, "port": 524, "syscalling": 0, "vector": 524, "prefixed": 524,
      ] as [String: Int32])
    func instructions(place: String, number: Int32) throws {
      let program = try Program(Self.source)
      let twin = try ModelTwin(program)
      let offset = try Program.fileOffset(of: place, in: program.path)
      // Without a mapping nobody looks at the instruction.
      #expect(try PerfProbe.refusal(program.path, offset) == 0)
      #expect(twin.refusal(offset) == 0)
      let running = try AskedProgram(program.path)
      #expect(try running.ask().count == 3)
      #expect(try PerfProbe.refusal(program.path, offset) == number)
      var mapped = twin
      _ = mapped.addProcess()
      #expect(mapped.refusal(offset) == number)
    }

    @Test(
      "arguments are refused, with which number",
      .enabled(if: RegistrationTests.isX86, "the instructions are x86-64"))
    func arguments() throws {
      let program = try Program(Self.source)
      let twin = try ModelTwin(program)
      let first = try Program.fileOffset(of: "first", in: program.path)
      let counter = try Program.fileOffset(of: "counter", in: program.path)
      let cases: [(offset: UInt64, counter: UInt64, number: Int32)] = [
        (twin.sizeBytes + 1, 0, 22), (twin.sizeBytes, 0, 0), (1 << 40, 0, 22),
        (first, counter + 1, 22), (first, counter, 0),
      ]
      for (offset, counter, number) in cases {
        #expect(
          try PerfProbe.refusal(program.path, offset, referenceCounter: counter) == number)
        #expect(twin.refusal(offset, referenceCounter: counter) == number)
      }
      // A file without pages.
      #expect(try PerfProbe.refusal("/proc/version", 0) == 5)
      #expect(twin.refusal(0, inode: ModelTwin.procInode) == 5)
    }

    @Test(
      "a probe that has a reference counter is refused with another one",
      .enabled(if: RegistrationTests.isX86, "the instructions are x86-64"))
    func conflictingCounter() throws {
      let program = try Program(Self.source)
      var twin = try ModelTwin(program)
      let first = try Program.fileOffset(of: "first", in: program.path)
      let counter = try Program.fileOffset(of: "counter", in: program.path)
      let other = try Program.fileOffset(of: "other", in: program.path)
      let probe = try PerfProbe(program.path, first, referenceCounter: counter)
      _ = try twin.kernel.register(
        Consumer(hasHandler: true, hasReturnHandler: false), inode: ModelTwin.inode,
        offset: first, referenceCounterOffset: counter)
      for (counter, number) in [(other, 22), (0, 22), (counter, 0)] as [(UInt64, Int32)] {
        #expect(
          try PerfProbe.refusal(program.path, first, referenceCounter: counter) == number)
        #expect(twin.refusal(first, referenceCounter: counter) == number)
      }
      withExtendedLifetime(probe) {}
    }

    @Test(
      "filters: breakpoints are in the processes somebody wants, until the last of them leaves",
      .enabled(if: RegistrationTests.isX86, "the instructions are x86-64"))
    func filters() throws {
      let program = try Program(Self.source)
      var twin = try ModelTwin(program)
      let first = try Program.fileOffset(of: "first", in: program.path)
      let running = try [AskedProgram(program.path), AskedProgram(program.path)]
      let spaces = [twin.addProcess(), twin.addProcess()]
      func same(_ expected: [Bool]) throws {
        for index in 0..<2 {
          #expect(try running[index].ask().first == (expected[index] ? 0xcc : 0x55))
          #expect(twin.hasBreakpoint(first, spaces[index]) == expected[index])
        }
      }
      try same([false, false])
      var one: PerfProbe? = try PerfProbe(
        program.path, first, process: running[0].identifier)
      let modelOne = try twin.register(first, only: [spaces[0]])
      try same([true, false])
      var two: PerfProbe? = try PerfProbe(
        program.path, first, process: running[1].identifier)
      let modelTwo = try twin.register(first, only: [spaces[1]])
      try same([true, true])
      withExtendedLifetime(one) {}
      one = nil
      twin.kernel.unregister(modelOne)
      try same([false, true])
      var all: PerfProbe? = try PerfProbe(program.path, first)
      let modelAll = try twin.register(first, only: nil)
      try same([true, true])
      withExtendedLifetime(two) {}
      two = nil
      twin.kernel.unregister(modelTwo)
      try same([true, true])
      withExtendedLifetime(all) {}
      all = nil
      twin.kernel.unregister(modelAll)
      try same([false, false])
    }

    @Test(
      "reference counters: one for each probe and process, taken back with the breakpoint",
      .enabled(if: RegistrationTests.isX86, "the instructions are x86-64"))
    func referenceCounters() throws {
      let program = try Program(Self.source)
      var twin = try ModelTwin(program)
      let first = try Program.fileOffset(of: "first", in: program.path)
      let second = try Program.fileOffset(of: "second", in: program.path)
      let counter = try Program.fileOffset(of: "counter", in: program.path)
      let before = try AskedProgram(program.path)
      let spaceBefore = twin.addProcess()
      func same(_ expected: Int, _ running: AskedProgram, _ space: Int) throws {
        #expect(try running.ask().last == expected)
        #expect(twin.count(counter, space) == expected)
      }
      try same(0, before, spaceBefore)
      var one: PerfProbe? = try PerfProbe(program.path, first, referenceCounter: counter)
      let modelOne = try twin.register(first, counter: counter)
      try same(1, before, spaceBefore)
      // A second consumer of the same probe does not count.
      var again: PerfProbe? = try PerfProbe(program.path, first, referenceCounter: counter)
      let modelAgain = try twin.register(first, counter: counter)
      try same(1, before, spaceBefore)
      var two: PerfProbe? = try PerfProbe(program.path, second, referenceCounter: counter)
      let modelTwo = try twin.register(second, counter: counter)
      try same(2, before, spaceBefore)
      // A process that starts later has it counted as it maps the counter.
      let after = try AskedProgram(program.path)
      let spaceAfter = twin.addProcess()
      try same(2, after, spaceAfter)
      withExtendedLifetime(one) {}
      one = nil
      twin.kernel.unregister(modelOne)
      try same(2, before, spaceBefore)
      withExtendedLifetime(again) {}
      again = nil
      twin.kernel.unregister(modelAgain)
      try same(1, before, spaceBefore)
      withExtendedLifetime(two) {}
      two = nil
      twin.kernel.unregister(modelTwo)
      try same(0, before, spaceBefore)
      try same(0, after, spaceAfter)
    }
  }
}
