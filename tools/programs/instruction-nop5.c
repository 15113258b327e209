// Five bytes of nop, which kernels from 6.18 on turn into a call after the first hit. Registers
// are the same behind them, before and after that.
//
// Probes: uprobe:PROGRAM:p_nop5 uprobe:PROGRAM:p_add uprobe:PROGRAM:p_end
// Expect-unprobed: exit 0
// Expect-probed-6.18: exit 0
// Observed-6.18: E nop5, E add, E end, E nop5, E add, E end, E nop5, E add, E end, E nop5, E add, E end, E nop5, E add, E end
#include "instructions.h"

#if RETURN_SLOT_ON_STACK

// Runs five bytes of nop and adds one.
long do_nop5(long number);

CODE(do_nop5,
     P(nop5) "  .byte 0x0f, 0x1f, 0x44, 0x00, 0x00\n"
     P(add) "  leaq 1(%rdi), %rax\n"
     P(end) "  ret\n");

int main(void) {
  long number = 0;
  for (int i = 0; i < 5; i++)
    number = do_nop5(number);
  return number == 5 ? 0 : 1;
}

#else
NOT_ON_THIS_ARCHITECTURE()
#endif
