// A repeated instruction is stepped once for every time around, and hits its breakpoint each
// time.
//
// Probes: uprobe:PROGRAM:p_repeat uprobe:PROGRAM:p_after uprobe:PROGRAM:p_end
// Expect-unprobed: exit 0
// Expect-probed-6.18: exit 0
// Observed-6.18: E repeat x8, E after, E end
#include "instructions.h"

#if RETURN_SLOT_ON_STACK

// Copies eight bytes by a repeated instruction; returns how many are left, which is none.
long do_repeat(const void *from, void *to);

CODE(do_repeat,
     "  xchgq %rsi, %rdi\n"
     "  movl $8, %ecx\n"
     P(repeat) "  rep movsb\n"
     P(after) "  movq %rcx, %rax\n"
     P(end) "  ret\n");

#include <string.h>

int main(void) {
  char to[8];
  return do_repeat("1234567", to) == 0 && strcmp(to, "1234567") == 0 ? 0 : 1;
}

#else
NOT_ON_THIS_ARCHITECTURE()
#endif
