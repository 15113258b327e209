// A stepped system call: the processor steps on return from the kernel, so that the instruction behind
// the call is executed in the copy as well, and the probe on it is not hit.
//
// Probes: uprobe:PROGRAM:p_number uprobe:PROGRAM:p_syscall uprobe:PROGRAM:p_unseen uprobe:PROGRAM:p_after uprobe:PROGRAM:p_end
// Expect-unprobed: exit 0
// Expect-probed-6.18: exit 0
// Observed-6.18: E number, E syscall, E after, E end
#include "instructions.h"

#if RETURN_SLOT_ON_STACK

#include <unistd.h>

// Returns the number of the process.
long do_syscall(void);

CODE(do_syscall,
     P(number) "  movl $39, %eax\n"
     P(syscall) "  syscall\n"
     P(unseen) "  nop\n"
     P(after) "  nop\n"
     P(end) "  ret\n");

int main(void) { return do_syscall() == getpid() ? 0 : 1; }

#else
NOT_ON_THIS_ARCHITECTURE()
#endif
