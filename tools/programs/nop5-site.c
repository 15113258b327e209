// A probed function begins with a five-byte nop, which kernels from 6.18 on turn into a call after
// the first hit; the hits must look the same before and after.
//
// Probes: uretprobe:PROGRAM:p_nop5 uretprobe:PROGRAM:p_outer
// Expect-unprobed: exit 0
// Expect-probed-6.18: exit 0
// Observed-6.18: (E nop5, R nop5) x5, E outer, E nop5, R nop5, R outer
#include "situation.h"

#if RETURN_SLOT_ON_STACK

int p_nop5(int n);

// It keeps nothing below the stack pointer, where the kernel's call writes its return address.
__asm__(
    ".text\n"
    ".balign 16\n"
    ".globl p_nop5\n"
    ".type p_nop5, @function\n"
    "p_nop5:\n"
    "  .byte 0x0f, 0x1f, 0x44, 0x00, 0x00\n"
    "  leal 1(%rdi), %eax\n"
    "  ret\n"
    ".size p_nop5, . - p_nop5\n");

PROBED int p_outer(int n) {
  int result = p_nop5(n);
  KEEP(result);
  return result;
}

int main(void) {
  int n = 0;
  for (int i = 0; i < 5; i++) {
    n = p_nop5(n);
    KEEP(n);
  }
  return p_outer(n) == 6 ? 0 : 1;
}

#else
NOT_ON_THIS_ARCHITECTURE()
#endif
