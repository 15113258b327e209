// More ordinary returns in one thread than a task may hold instances: whoever forgets to count one
// down runs out of them.
//
// Probes: uretprobe:PROGRAM:p_call uretprobe:PROGRAM:p_tail uretprobe:PROGRAM:p_target
// Expect-unprobed: exit 0
// Expect-probed-6.18: exit 0
// Tail-calls: p_tail=>p_target
// Observed-6.18: 70 times: E call, R call, E tail, E target, R target, R tail
#include "situation.h"

PROBED int p_call(int n) { return n + 1; }
PROBED int p_target(int n) { return n + 1; }
PROBED int p_tail(int n) { return p_target(n + 1); }

int main(void) {
  for (int n = 0; n < 70; n++) {
    if (p_call(n) != n + 1 || p_tail(n) != n + 2) return 1;
  }
  return 0;
}
