import Foundation
import ProbeEvents
import Testing

@testable import Unwinding

extension LiveStackTests {
  /// Stacks of programs in other languages than C.
  @Suite(.serialized) struct LanguageTests {
    @Test func `C++ names are demangled`() throws {
      let workshop = try Workshop()
      let program = try workshop.compile(
        """
        namespace n { struct S { __attribute__((noipa)) int p(int a) { return a + 1; } }; }
        __attribute__((noipa)) int call(n::S &s, int a) { int r = s.p(a); __asm__("" : "+r"(r)); return r; }
        int main() { n::S s; return call(s, 1) - 2; }
        """, compiler: "c++", suffix: "cpp")
      let tape = try LiveStacks.record(["uretprobe:\(program):n::S::p"], [program])
      let stack = try #require(LiveStacks.stacks(of: tape).first)
      #expect(Array(stack.functions.prefix(3)) == ["n::S::p(int)", "call(n::S&, int)", "main"])
      #expect(stack.ending == .complete)
    }

    @Test func `functions that clean up after exceptions are unwound`() throws {
      let workshop = try Workshop()
      // Their unwind entries name a routine by a word in the data of the program.
      let program = try workshop.compile(
        """
        __attribute__((noipa)) int p(int n) { return n + 1; }
        struct Guard { int n; __attribute__((noipa)) ~Guard() { n = 0; } };
        __attribute__((noipa)) int cleans(int n) {
          Guard g{n};
          int r = p(n);
          __asm__("" : "+r"(r));
          return r;
        }
        __attribute__((noipa)) int catches(int n) {
          try { return cleans(n) + 1; } catch (int) { return 0; }
        }
        int main() { return catches(1) - 3; }
        """, ["-O2", "-g", "-fPIE", "-pie"], compiler: "c++", suffix: "cpp")
      let tape = try LiveStacks.record(["uretprobe:\(program):p"], [program])
      let stack = try #require(LiveStacks.stacks(of: tape).first)
      #expect(
        Array(stack.functions.prefix(4)) == ["p(int)", "cleans(int)", "catches(int)", "main"])
      #expect(stack.ending == .complete)
    }

    @Test(.enabled(if: Workshop.has("rustc"), "needs rustc"))
    func `Rust frames are unwound`() throws {
      let workshop = try Workshop()
      let file = workshop.folder.appending(path: "program.rs")
      let program = workshop.folder.appending(path: "program").path
      try Data(
        """
        #[inline(never)] #[no_mangle] pub extern "C" fn p(n: u64) -> u64 { std::hint::black_box(n) + 1 }
        #[inline(never)] #[no_mangle] pub extern "C" fn mid(n: u64) -> u64 { std::hint::black_box(p(n)) + 1 }
        fn main() { std::process::exit((std::hint::black_box(mid(1)) - 3) as i32) }
        """.utf8
      ).write(to: file)
      try Workshop.run(["rustc", "-O", "-g", "-o", program, file.path])
      let tape = try LiveStacks.record(["uretprobe:\(program):p"], [program])
      let stack = try #require(LiveStacks.stacks(of: tape).first)
      #expect(Array(stack.functions.prefix(2)) == ["p", "mid"])
      #expect(stack.functions.contains { $0.contains("lang_start_internal") })
      #expect(stack.functions.contains("main") && stack.functions.last == "_start")
      #expect(stack.ending == .complete)
    }

    @Test(.enabled(if: Workshop.has("go"), "needs go"))
    func `Go frames are unwound`() throws {
      let workshop = try Workshop()
      let file = workshop.folder.appending(path: "program.go")
      let program = workshop.folder.appending(path: "program").path
      try Data(
        """
        package main
        //go:noinline
        func p(n int) int { return n + 1 }
        //go:noinline
        func mid(n int) int { return p(n) + 1 }
        func main() { if mid(1) != 3 { panic("wrong") } }
        """.utf8
      ).write(to: file)
      try Workshop.run(["go", "build", "-o", program, file.path])
      // A return probe would break Go's own stack walks; entries alone do not.
      let tape = try LiveStacks.record(["uprobe:\(program):main.p"], [program])
      let stack = try #require(LiveStacks.stacks(of: tape).first)
      #expect(
        Array(stack.functions.prefix(4)) == ["main.p", "main.mid", "main.main", "runtime.main"])
    }
  }
}
