// A function calls itself three times and returns level by level.
//
// Probes: uretprobe:PROGRAM:p_rec
// Expect-unprobed: exit 0
// Expect-probed-6.18: exit 0
// Observed-6.18: E rec x4, R rec x4
#include "situation.h"

PROBED int p_rec(int n) {
  if (n == 0) return 0;
  int below = p_rec(n - 1);
  KEEP(below);
  return below + 1;
}

int main(void) { return p_rec(3) == 3 ? 0 : 1; }
