// `vcmpps` has the opcode of a return, so the kernel believes that it sets the instruction pointer
// itself and leaves the task behind the copy, in the XOL page. What was copied along with it runs
// there: the probe on the return is not hit.
//
// Probes: uprobe:PROGRAM:p_before uprobe:PROGRAM:p_compare uprobe:PROGRAM:p_end
// Expect-unprobed: exit 0
// Expect-probed-6.18: exit 0
// Observed-6.18: E before, E compare
#include "instructions.h"

#if RETURN_SLOT_ON_STACK

long do_compare(void);

CODE(do_compare,
     P(before) "  nop\n"
     P(compare) "  vcmpps $0, %xmm0, %xmm0, %xmm0\n"
     P(end) "  ret\n");

int main(void) {
  if (!__builtin_cpu_supports("avx"))
    return 77;
  do_compare();
  return 0;
}

#else
NOT_ON_THIS_ARCHITECTURE()
#endif
