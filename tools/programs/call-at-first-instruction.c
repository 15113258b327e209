// A probed function whose very first act is to call another: after that call the stack pointer is
// the caller's own return slot, and the caller must still count as alive.
//
// Probes: uretprobe:PROGRAM:p_outer uretprobe:PROGRAM:p_inner
// Expect-unprobed: exit 0
// Expect-probed-6.18: exit 0
// Observed-6.18: E outer, E inner, R inner, R outer
#include "situation.h"

#if RETURN_SLOT_ON_STACK

PROBED int p_inner(int n) { return n + 1; }

int p_outer(int n);

__asm__(
    ".text\n"
    ".globl p_outer\n"
    ".type p_outer, @function\n"
    "p_outer:\n"
    "  call p_inner\n"
    "  addl $1, %eax\n"
    "  ret\n"
    ".size p_outer, . - p_outer\n");

int main(void) { return p_outer(1) == 3 ? 0 : 1; }

#else
NOT_ON_THIS_ARCHITECTURE()
#endif
