// A recursion goes 70 deep, beyond the 64 return instances that the kernel keeps for a thread.
//
// Probes: uretprobe:PROGRAM:p_rec
// Expect-unprobed: exit 0
// Expect-probed-6.18: exit 0
// Observed-6.18: E rec x70, R rec x64
#include "situation.h"

PROBED int p_rec(int n) {
  if (n == 0) return 0;
  int below = p_rec(n - 1);
  KEEP(below);
  return below + 1;
}

int main(void) { return p_rec(69) == 69 ? 0 : 1; }
