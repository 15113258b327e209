// longjmp leaves five probed frames, then a new probed function is called.
//
// Probes: uretprobe:PROGRAM:p_a uretprobe:PROGRAM:p_b uretprobe:PROGRAM:p_c uretprobe:PROGRAM:p_d uretprobe:PROGRAM:p_e uretprobe:PROGRAM:p_x
// Expect-unprobed: exit 0
// Expect-probed-6.18: exit 0
// Observed-6.18: E a, E b, E c, E d, E e, E x, R x
#include <setjmp.h>

#include "situation.h"

static jmp_buf back;

PROBED int p_x(int n) { return n + 1; }

PROBED int p_e(int n) {
  if (n == 5) longjmp(back, 1);
  return n;
}

#define STEP(name, callee)                                                     \
  PROBED int name(int n) {                                                     \
    int result = callee(n + 1);                                                \
    KEEP(result);                                                              \
    return result;                                                             \
  }

STEP(p_d, p_e)
STEP(p_c, p_d)
STEP(p_b, p_c)
STEP(p_a, p_b)

int main(void) {
  if (setjmp(back) == 0) {
    p_a(1);
    return 1;
  }
  return p_x(1) == 2 ? 0 : 1;
}
