import Foundation
import ProbeEvents
import Testing

@testable import Unwinding

/// The kernel's callchains with what was done to them.
@Suite struct CallchainRepairTests {
  private static let trampoline: UInt64 = 0x7FFF_FFFF_E000

  /// Instances from the oldest to the newest: stack pointer, and where the call returns to.
  private func repaired(
    _ chain: [UInt64], _ instances: [(slot: UInt64, original: UInt64)], sp: UInt64,
    returnAddress: UInt64? = nil, mayHaveCaller: Bool = true, includesStackPointer: Bool = true
  ) -> (callers: [UInt64], isCut: Bool) {
    var repair = CallchainRepair()
    repair.repair(
      chain.span,
      instances.enumerated().map {
        InstanceLists.Instance(entry: UInt64($0), slot: $1.slot, original: $1.original)
      },
      CallchainRepair.Situation(
        stackPointer: sp, returnAddress: returnAddress, mayHaveCaller: mayHaveCaller,
        includesStackPointer: includesStackPointer, trampoline: Self.trampoline))
    return (repair.callers, repair.isCut)
  }

  // M calls A, which calls B, which is left for C by a tail call; C calls E, all probed for return but
  // E. So the kernel has two instances for the slot of B and C.
  private static let tail: [(slot: UInt64, original: UInt64)] = [
    (0x9000, 1), (0x8000, 2), (0x7000, 3), (0x7000, 3),
  ]

  @Test func `addresses that a tail call has moved outwards move back`() {
    // In E, which returns to 40 in C: instead of 1 there is 2, instead of 2 there is 3.
    let (callers, isCut) = repaired([40, 3, 3, 2, 99], Self.tail, sp: 0x6000, returnAddress: 40)
    #expect(callers == [40, 3, 2, 1, 99] && !isCut)
  }

  @Test func `addresses that calls left by a jump have moved move back`() {
    // Two calls further in were left; the kernel takes their addresses for the first two slots.
    let left: [(slot: UInt64, original: UInt64)] = [
      (0x9000, 1), (0x8000, 2), (0x5000, 7), (0x4000, 8),
    ]
    let (callers, _) = repaired([50, 8, 7, 99], left, sp: 0x6000, returnAddress: 50)
    #expect(callers == [50, 2, 1, 99])
  }

  @Test func `what the kernel got right stays`() {
    let plain = [(slot: UInt64(0x9000), original: UInt64(1)), (0x8000, 2)]
    let right: [UInt64] = [50, 2, 60, 1, 99]
    #expect(repaired(right, plain, sp: 0x6000, returnAddress: 50).callers == right)
    #expect(repaired([5, 6, 7], [], sp: 0x6000).callers == [5, 6, 7])
  }

  @Test func `trampolines that the kernel left are replaced`() {
    let t = Self.trampoline
    let (callers, isCut) = repaired([40, t, t, t, 99], Self.tail, sp: 0x6000, returnAddress: 40)
    #expect(callers == [40, 3, 2, 1, 99] && !isCut)
    // One more than there are instances known: a call of before the recording.
    let more = repaired([40, t, t, t, 50, t, 99], Self.tail, sp: 0x6000, returnAddress: 40)
    #expect(more.callers == [40, 3, 2, 1, 50] && more.isCut)
  }

  @Test func `a caller that the kernel did not see is added`() {
    #expect(repaired([1, 99], [], sp: 0x6000, returnAddress: 50).callers == [50, 1, 99])
    #expect(
      repaired([50, 99], [], sp: 0x6000, returnAddress: 50, mayHaveCaller: false).callers
        == [50, 50, 99])
    // At the entry of C the return address is the trampoline, whose slot the walk passes by.
    let inC = Array(Self.tail.dropLast())
    let (callers, _) = repaired(
      [3, 2, 99], inC, sp: 0x7000, returnAddress: Self.trampoline, mayHaveCaller: false)
    #expect(callers == [3, 2, 1, 99])
  }

  @Test func `where it is not certain which addresses were replaced, the stack ends`() {
    // 3 stands three times, the kernel has put in two of them: which is the one that must be 2?
    let (callers, isCut) = repaired(
      [3, 3, 3, 99], [(0x8000, 2), (0x7000, 3), (0x7000, 3)], sp: 0x6000)
    #expect(isCut)
    #expect(callers == [3])
  }

  @Test func `instances on several stacks are left as they are`() {
    let (callers, isCut) = repaired(
      [3, 3, 99], [(0x7000, 1), (0x9000, 3), (0x9000, 3)], sp: 0x6000)
    #expect(callers == [3, 3, 99] && !isCut)
  }
}

extension LiveStackTests {
  /// `record --call-graph fp` of a program with frame pointers: tail calls, recursion, calls left by a
  /// jump, and functions whose first instruction does not push the frame pointer.
  @Suite(.serialized) struct CallchainTests {
    private static let source = """
      #include <setjmp.h>
      #define PROBED __attribute__((noinline, noipa))
      #define KEEP(x) __asm__ volatile("" : "+r"(x) : : "memory")
      static jmp_buf back;
      PROBED int p_late(int n) { __asm__ volatile("nop"); int r = n + 2; KEEP(r); return r; }
      PROBED int p_deep(int n) { int r = n + 1; KEEP(r); return r; }
      PROBED int p_tail(int n) { int r = p_deep(n); KEEP(r); return r + p_late(n); }
      PROBED int p_into(int n) { return p_tail(n + 1); }
      PROBED int p_calls(int n) { int r = p_into(n); KEEP(r); return r; }
      PROBED int p_outer(int n) { int r = p_calls(n); KEEP(r); return r; }
      PROBED int p_again(int n) { int r = n ? p_again(n - 1) : p_outer(n); KEEP(r); return r; }
      PROBED int p_jump(int n) { if (n) longjmp(back, 1); return n; }
      PROBED int p_over(int n) { int r = p_jump(n); KEEP(r); return r; }
      PROBED int p_left(int n) {
        int r = 0;
        if (!setjmp(back)) r = p_over(1);
        r += p_outer(2);
        KEEP(r);
        return r;
      }
      int main(void) { int r = p_again(3); r += p_left(1); r += p_outer(1); KEEP(r); return 0; }
      """
    private static let functions = [
      "p_late", "p_deep", "p_tail", "p_into", "p_calls", "p_outer", "p_again", "p_jump", "p_over",
      "p_left",
    ]

    private func record(_ kind: String, _ callGraph: String, _ options: [String]) throws
      -> [LiveStacks.Stack]
    {
      let workshop = try Workshop()
      let program = try workshop.compile(Self.source, ["-O2", "-fno-omit-frame-pointer"] + options)
      return try LiveStacks.stacks(
        on: LiveStacks.record(
          Self.functions.map { "\(kind):\(program):\($0)" }, [program], stackBytes: 64,
          options: ["--call-graph", callGraph])
      ).map { stack in
        var stack = stack
        stack.frames = stack.frames.map { $0.replacing(workshop.folder.path, with: "") }
        return stack
      }
    }

    @Test(arguments: [[], ["-momit-leaf-frame-pointer"]])
    func `the stacks of entries are the same with return probes as without`(
      options: [String]
    ) throws {
      let plain = try record("uprobe", "fp", options)
      let probed = try record("uretprobe", "fp", options)
      let entries = probed.filter { $0.kind == .entry }
      #expect(plain.count == 25)
      #expect(entries.map(\.comparable) == plain.map(\.comparable))
      // Into p_tail by the tail call, from there into p_deep, two calls above in recursion.
      #expect(
        plain.contains {
          $0.functions.starts(with: [
            "p_deep", "p_tail", "p_calls", "p_outer", "p_again", "p_again", "p_again", "p_again",
            "main",
          ])
        })
    }

    @Test(arguments: [[], ["-momit-leaf-frame-pointer"]])
    func `frame pointers and unwinding agree up to the program's main`(options: [String]) throws {
      let fp = try record("uretprobe", "fp", options)
      let dwarf = try record("uretprobe", "dwarf,65528", options)
      #expect(fp.count == dwarf.count && fp.count == 48)
      for (left, right) in zip(fp, dwarf) {
        #expect(left.kind == right.kind && left.probe == right.probe)
        let place = try #require(left.functions.firstIndex(of: "main"))
        #expect(left.frames.prefix(place + 2) == right.frames.prefix(place + 2))
        #expect(left.ending == .noUnwindInformation && right.ending == .complete)
      }
    }
  }
}
