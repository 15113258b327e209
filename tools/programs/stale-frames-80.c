// Eighty longjmps out of a probed function, each from deeper in the stack, with no probed frame
// outside: the left-over instances fill the thread's 64, and later calls get no return hit.
//
// Probes: uretprobe:PROGRAM:p_j uretprobe:PROGRAM:p_x
// Expect-unprobed: exit 0
// Expect-probed-6.18: exit 0
// Observed-6.18: E j x80, E x x3
#include <setjmp.h>

#include "situation.h"

static jmp_buf back;

PROBED int p_x(int n) { return n + 1; }

PROBED int p_j(int n) {
  if (n == 0) longjmp(back, 1);
  return n;
}

// Goes `levels` frames down, then into p_j.
PLAIN int descend(int levels) {
  int result = levels == 0 ? p_j(0) : descend(levels - 1);
  KEEP(result);
  return result;
}

int main(void) {
  static volatile int round;
  setjmp(back);
  if (round < 80) {
    round++;
    descend(round);
  }
  int sum = p_x(1);
  sum += p_x(2);
  sum += p_x(3);
  return round == 80 && sum == 9 ? 0 : 1;
}
