// A stepped pushf pushes the trap flag that the kernel has set for the step, and popf then gives it to
// the program for good: it dies of SIGTRAP although it never asked to be traced.
//
// Probes: uprobe:PROGRAM:p_pushf uprobe:PROGRAM:p_popf uprobe:PROGRAM:p_end
// Expect-unprobed: exit 0
// Expect-probed-6.18: signal 5
// Observed-6.18: E pushf, E popf, E end
#include "instructions.h"

#if RETURN_SLOT_ON_STACK

void do_flags(void);

CODE(do_flags,
     P(pushf) "  pushfq\n"
     P(popf) "  popfq\n"
     P(end) "  ret\n");

int main(void) {
  do_flags();
  return 0;
}

#else
NOT_ON_THIS_ARCHITECTURE()
#endif
