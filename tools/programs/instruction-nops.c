// Every form of nop that the kernel emulates instead of stepping, and two instructions that it takes
// for one: `pause`, and `xchg %r8,%rax`, whose exchange is lost at a probe.
//
// Probes: uprobe:PROGRAM:p_nop1 uprobe:PROGRAM:p_nop2 uprobe:PROGRAM:p_nop3 uprobe:PROGRAM:p_nop4 uprobe:PROGRAM:p_nop6 uprobe:PROGRAM:p_nop7 uprobe:PROGRAM:p_nop8 uprobe:PROGRAM:p_endbr uprobe:PROGRAM:p_pause uprobe:PROGRAM:p_exchange uprobe:PROGRAM:p_end
// Expect-unprobed: exit 2
// Expect-probed-6.18: exit 1
// Observed-6.18: E nop1, E nop2, E nop3, E nop4, E nop6, E nop7, E nop8, E endbr, E pause, E exchange, E end
#include "instructions.h"

#if RETURN_SLOT_ON_STACK

// 1 in ax, 2 in r8; returns ax.
int do_nops(void);

CODE(do_nops,
     "  movq $1, %rax\n"
     "  movq $2, %r8\n"
     P(nop1) "  nop\n"
     P(nop2) "  .byte 0x66, 0x90\n"
     P(nop3) "  .byte 0x0f, 0x1f, 0x00\n"
     P(nop4) "  .byte 0x0f, 0x1f, 0x40, 0x00\n"
     P(nop6) "  .byte 0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00\n"
     P(nop7) "  .byte 0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00\n"
     P(nop8) "  .byte 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00\n"
     P(endbr) "  endbr64\n"
     P(pause) "  pause\n"
     P(exchange) "  xchgq %r8, %rax\n"
     P(end) "  ret\n");

int main(void) { return do_nops(); }

#else
NOT_ON_THIS_ARCHITECTURE()
#endif
