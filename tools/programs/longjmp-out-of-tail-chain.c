// longjmp leaves a chain of tail calls, first with the outer frame returning next, then with a new
// call coming before that.
//
// Probes: uretprobe:PROGRAM:p_outer uretprobe:PROGRAM:p_t1 uretprobe:PROGRAM:p_t2 uretprobe:PROGRAM:p_t3 uretprobe:PROGRAM:p_x
// Tail-calls: p_t1=>p_t2 p_t2=>p_t3
// Expect-unprobed: exit 0
// Expect-probed-6.18: exit 0
// Observed-6.18: E outer, E t1, E t2, E t3, R outer, E outer, E t1, E t2, E t3, E x, R x, R outer
#include <setjmp.h>

#include "situation.h"

static jmp_buf back;

PROBED int p_x(int n) { return n + 1; }

PROBED int p_t3(int n) {
  if (n == 3) longjmp(back, 1);
  return n;
}

PROBED int p_t2(int n) { return p_t3(n + 1); }

PROBED int p_t1(int n) { return p_t2(n + 1); }

PROBED int p_outer(int calls) {
  if (setjmp(back) == 0) {
    int result = p_t1(1);
    KEEP(result);
    return result;
  }
  int result = 6;
  if (calls) result = p_x(result);
  KEEP(result);
  return result;
}

int main(void) {
  int plain = p_outer(0);
  int with_call = p_outer(1);
  return plain == 6 && with_call == 7 ? 0 : 1;
}
