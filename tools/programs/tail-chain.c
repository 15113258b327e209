// Three tail calls in a row: four probed functions share one frame and return at once.
//
// Probes: uretprobe:PROGRAM:p_caller uretprobe:PROGRAM:p_t1 uretprobe:PROGRAM:p_t2 uretprobe:PROGRAM:p_t3 uretprobe:PROGRAM:p_t4
// Tail-calls: p_t1=>p_t2 p_t2=>p_t3 p_t3=>p_t4
// Expect-unprobed: exit 0
// Expect-probed-6.18: exit 0
// Observed-6.18: E caller, E t1, E t2, E t3, E t4, R t4, R t3, R t2, R t1, R caller
#include "situation.h"

PROBED int p_t4(int n) { return n + 1; }

PROBED int p_t3(int n) { return p_t4(n + 1); }

PROBED int p_t2(int n) { return p_t3(n + 1); }

PROBED int p_t1(int n) { return p_t2(n + 1); }

PROBED int p_caller(int n) {
  int result = p_t1(n);
  KEEP(result);
  return result;
}

int main(void) { return p_caller(1) == 5 ? 0 : 1; }
