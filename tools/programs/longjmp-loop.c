// longjmp leaves two probed frames, forty times over from the same place; then a new call.
//
// Probes: uretprobe:PROGRAM:p_t1 uretprobe:PROGRAM:p_t2 uretprobe:PROGRAM:p_x
// Expect-unprobed: exit 0
// Expect-probed-6.18: exit 0
// Observed-6.18: (E t1, E t2) x40, E x, R x
#include <setjmp.h>

#include "situation.h"

static jmp_buf back;

PROBED int p_x(int n) { return n + 1; }

PROBED int p_t2(int n) {
  if (n >= 0) longjmp(back, 1);
  return n;
}

PROBED int p_t1(int n) {
  int result = p_t2(n);
  KEEP(result);
  return result;
}

int main(void) {
  static volatile int round;
  setjmp(back);
  if (round < 40) {
    round++;
    p_t1(round);
  }
  return p_x(round) == 41 ? 0 : 1;
}
