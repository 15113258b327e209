import Glibc
import ProbeEvents
import TapeFormat
import Testing

@testable import Recorder

extension LiveTests {
  @Suite("kernel facts")
  struct Facts {
    private static let source = """
      #define SITE(name, nop) \\
        __asm__(".balign 64\\n.globl " name "\\n.type " name ",@function\\n" name ":\\n" nop "\\nret\\n")
      SITE("f", ".byte 0x0f,0x1f,0x44,0x00,0x00");
      void f(void);
      int main(void) { for (int i = 0; i < 10000; i++) f(); return 0; }
      """

    @Test("the header says what was seen of this kernel")
    func header() throws {
      let program = try Program(
        "__attribute__((noipa)) void f(void) {} int main(void) { f(); return 0; }")
      let (_, sink) = try LiveHost.record([program.probe("f")], [program.path])
      let kernel = sink.header.kernel
      #expect(try kernel.release == Syscalls.text(of: "/proc/sys/kernel/osrelease"))
      #expect(try kernel.version == Syscalls.text(of: "/proc/sys/kernel/version"))
      #expect(kernel[.pageSize]?.value == "\(sysconf(Int32(_SC_PAGESIZE)))")
      #expect(kernel[.cpus]?.value == "\(sysconf(Int32(_SC_NPROCESSORS_ONLN)))")
      let trampoline = try #require(kernel[.returnTrampoline])
      #expect(trampoline.isObserved)
      #expect(["breakpoint", "syscall"].contains(trampoline.value))
      #expect(kernel[.optimizedSites]?.isObserved == true)
    }

    @Test("a five-byte nop is optimised exactly where the self probe says so, and loses nothing")
    func optimizedSite() throws {
      let program = try Program(Self.source)
      let (summary, sink) = try LiveHost.record([program.probe("f")], [program.path])
      #expect(summary.entries == 10_000 && summary.returns == 10_000 && summary.lost == 0)
      let isMapped = sink.events.contains { event in
        if case .mapping(let mapping) = event {
          mapping.path == Mapping.uprobesTrampolineName
        } else {
          false
        }
      }
      #expect(isMapped == (sink.header.kernel[.optimizedSites]?.value == "nop5"))
      #expect((summary.lateFacts.first { $0.name == "optimized-sites" } != nil) == isMapped)
    }

    @Test("a jump to the trampoline without a return instance shows the signal's code")
    func noInstance() throws {
      let program = try Program(
        """
        __attribute__((noipa)) void *f(void) { return __builtin_return_address(0); }
        int main(void) { ((void (*)(void))f())(); return 0; }
        """)
      let (summary, _) = try LiveHost.record([program.probe("f")], [program.path])
      #expect([.killed(SIGILL), .killed(SIGTRAP)].contains(summary.targetExit))
      // SI_KERNEL.
      #expect(summary.lateFacts.contains(KernelFact(.noInstanceSignalCode, "128")))
    }
  }
}
