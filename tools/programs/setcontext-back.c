// setcontext leaves two probed frames for an older probed frame, which returns.
//
// Probes: uretprobe:PROGRAM:p_o uretprobe:PROGRAM:p_a uretprobe:PROGRAM:p_b uretprobe:PROGRAM:p_x
// Expect-unprobed: exit 0
// Expect-probed-6.18: exit 0
// Observed-6.18: E o, E a, E b, R o, E x, R x
#include <ucontext.h>

#include "situation.h"

static ucontext_t back;
static volatile int been_here;

PROBED int p_x(int n) { return n + 1; }

PROBED int p_b(int n) {
  if (n == 3) setcontext(&back);
  KEEP(n);
  return n;
}

PROBED int p_a(int n) {
  int result = p_b(n + 1);
  KEEP(result);
  return result;
}

PROBED int p_o(int n) {
  getcontext(&back);
  if (been_here) return 7;
  been_here = 1;
  int result = p_a(n + 1);
  KEEP(result);
  return result;
}

int main(void) {
  int outer = p_o(1);
  return outer == 7 && p_x(1) == 2 ? 0 : 1;
}
