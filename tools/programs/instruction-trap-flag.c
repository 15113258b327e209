// A task that traces itself: its trap flag survives emulated and stepped instructions, and popf
// sets and clears it. Each instruction sends it one SIGTRAP, with probes as without.
//
// Probes: uprobe:PROGRAM:p_set uprobe:PROGRAM:p_emulated uprobe:PROGRAM:p_jump uprobe:PROGRAM:p_stepped uprobe:PROGRAM:p_clear uprobe:PROGRAM:p_end
// Expect-unprobed: exit 4
// Expect-probed-6.18: exit 4
// Observed-6.18: E set, E emulated, E jump, E stepped, E clear, E end
#include "instructions.h"

#if RETURN_SLOT_ON_STACK

#include <signal.h>

static volatile int traps;

static void count(int number) {
  (void)number;
  traps++;
}

// Sets its own trap flag, runs four instructions, and clears it again.
void do_trapped(void);

CODE(do_trapped,
     "  pushfq\n"
     "  pushfq\n"
     "  orq $0x100, (%rsp)\n"
     P(set) "  popfq\n"
     P(emulated) "  nop\n"
     P(jump) "  jmp p_stepped\n"
     P(stepped) "  movq %rsp, %rax\n"
     P(clear) "  popfq\n"
     P(end) "  ret\n");

int main(void) {
  struct sigaction action = {.sa_handler = count};
  sigaction(SIGTRAP, &action, 0);
  do_trapped();
  return traps;
}

#else
NOT_ON_THIS_ARCHITECTURE()
#endif
