// longjmp leaves three probed frames for an older probed frame, which returns with no probed call
// in between.
//
// Probes: uretprobe:PROGRAM:p_top uretprobe:PROGRAM:p_outer uretprobe:PROGRAM:p_c uretprobe:PROGRAM:p_d uretprobe:PROGRAM:p_e
// Expect-unprobed: exit 0
// Expect-probed-6.18: exit 0
// Observed-6.18: E top, E outer, E c, E d, E e, R outer, R top
#include <setjmp.h>

#include "situation.h"

static jmp_buf back;

PROBED int p_e(int n) {
  if (n == 3) longjmp(back, 1);
  return n;
}

PROBED int p_d(int n) {
  int result = p_e(n + 1);
  KEEP(result);
  return result;
}

PROBED int p_c(int n) {
  int result = p_d(n + 1);
  KEEP(result);
  return result;
}

PROBED int p_outer(int n) {
  if (setjmp(back) != 0) return 7;
  int result = p_c(n);
  KEEP(result);
  return result;
}

PROBED int p_top(int n) {
  int result = p_outer(n);
  KEEP(result);
  return result;
}

int main(void) { return p_top(1) == 7 ? 0 : 1; }
