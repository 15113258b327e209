// A probed function writes its true return address over its hijacked return slot: its return is
// never seen, and its instance stays until the next call from higher up.
//
// Probes: uretprobe:PROGRAM:p_lost uretprobe:PROGRAM:p_x uretprobe:PROGRAM:p_y
// Expect-unprobed: exit 0
// Expect-probed-6.18: exit 0
// Observed-6.18: E lost, E x, R x, E y, E x, R x, R y
#include "situation.h"

#if RETURN_SLOT_ON_STACK

int p_lost(int n);
int call_lost(int n);

// call_lost and p_lost are assembly, so that the return address has a name.
__asm__(
    ".text\n"
    ".globl call_lost\n"
    ".type call_lost, @function\n"
    "call_lost:\n"
    "  subq $8, %rsp\n"
    "  call p_lost\n"
    "after_lost:\n"
    "  addq $8, %rsp\n"
    "  ret\n"
    ".size call_lost, . - call_lost\n"
    ".globl p_lost\n"
    ".type p_lost, @function\n"
    "p_lost:\n"
    "  leaq after_lost(%rip), %rax\n"
    "  movq %rax, (%rsp)\n"
    "  leal 1(%rdi), %eax\n"
    "  ret\n"
    ".size p_lost, . - p_lost\n");

PROBED int p_x(int n) { return n + 1; }

PROBED int p_y(int n) {
  int result = p_x(n);
  KEEP(result);
  return result;
}

int main(void) {
  int lost = call_lost(1);
  int next = p_x(2);
  int nested = p_y(3);
  return lost == 2 && next == 3 && nested == 4 ? 0 : 1;
}

#else
NOT_ON_THIS_ARCHITECTURE()
#endif
