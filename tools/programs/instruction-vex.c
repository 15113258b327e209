// VEX instructions have no escape byte, so the kernel takes some for the jump or call with their
// opcode: `vmovd` to a register and `vmovdqu` to memory for conditional jumps to the next
// instruction, `vpor` for a jump, `vpsubsb` for a call. They do nothing at a probe, or push a
// return address.
//
// Probes: uprobe:PROGRAM:p_shuffle uprobe:PROGRAM:p_or uprobe:PROGRAM:p_store uprobe:PROGRAM:p_move uprobe:PROGRAM:p_zero uprobe:PROGRAM:p_subtract uprobe:PROGRAM:p_end
// Expect-unprobed: exit 7
// Expect-probed-6.18: exit 1
// Observed-6.18: E shuffle, E or, E store, E move, E zero, E subtract, E end
#include "instructions.h"

#if RETURN_SLOT_ON_STACK

// Moves a number to a vector register and back, and compares stack pointers around a subtraction.
// Returns the number, or what was in ax before.
long do_vex(void);

CODE(do_vex,
     "  movq %rsp, %rdx\n"
     "  movl $7, %ecx\n"
     "  movl $1, %eax\n"
     "  vmovd %ecx, %xmm0\n"
     P(shuffle) "  vpermilps $0, %xmm0, %xmm1\n"
     P(or) "  vpor %xmm0, %xmm1, %xmm1\n"
     P(store) "  vmovdqu %xmm1, -64(%rsp)\n"
     P(move) "  vmovd %xmm0, %eax\n"
     P(zero) "  vzeroupper\n"
     P(subtract) "  vpsubsb %xmm0, %xmm0, %xmm1\n"
     P(end) "  movq %rdx, %rsp\n"
     "  ret\n");

int main(void) {
  if (!__builtin_cpu_supports("avx"))
    return 77;
  return do_vex();
}

#else
NOT_ON_THIS_ARCHITECTURE()
#endif
