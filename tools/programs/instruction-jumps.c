// Jumps that are emulated (short, near, to the next instruction) and jumps that are stepped
// (through a register, loop, jrcxz).
//
// Probes: uprobe:PROGRAM:p_jmp_short uprobe:PROGRAM:p_jmp_near uprobe:PROGRAM:p_jmp_back uprobe:PROGRAM:p_jmp_next uprobe:PROGRAM:p_jmp_next_near uprobe:PROGRAM:p_jmp_register uprobe:PROGRAM:p_loop uprobe:PROGRAM:p_jrcxz uprobe:PROGRAM:p_count uprobe:PROGRAM:p_end
// Expect-unprobed: exit 0
// Expect-probed-6.18: exit 0
// Observed-6.18: E jmp_short, E jmp_near, E jmp_back, E jmp_next, E jmp_next_near, E jmp_register, E loop, E loop, E jrcxz, E count, E end
#include "instructions.h"

#if RETURN_SLOT_ON_STACK

// Jumps forwards, backwards and to the next instruction; returns 1 if nothing was skipped or done
// twice that should not be.
long do_jumps(void);

CODE(do_jumps,
     "  xorl %eax, %eax\n"
     "  movl $2, %ecx\n"
     P(jmp_short) "  jmp p_jmp_near\n"
     "  ud2\n"
     P(jmp_next) "  .byte 0xeb, 0x00\n"
     P(jmp_next_near) "  .byte 0xe9, 0x00, 0x00, 0x00, 0x00\n"
     P(jmp_register) "  jmp *%rdx\n"
     "  ud2\n"
     P(jmp_near) "  leaq p_loop(%rip), %rdx\n"
     P(jmp_back) "  {disp32} jmp p_jmp_next\n"
     "  ud2\n"
     P(loop) "  loop p_loop\n"
     P(jrcxz) "  jrcxz p_count\n"
     "  ud2\n"
     P(count) "  incl %eax\n"
     P(end) "  ret\n");

int main(void) { return do_jumps() == 1 ? 0 : 1; }

#else
NOT_ON_THIS_ARCHITECTURE()
#endif
