// Distinct functions call each other; one of them has an entry probe only.
//
// Probes: uretprobe:PROGRAM:p_a uretprobe:PROGRAM:p_b uretprobe:PROGRAM:p_c uprobe:PROGRAM:p_d
// Expect-unprobed: exit 0
// Expect-probed-6.18: exit 0
// Observed-6.18: E a, E b, E c, E d, R c, R b, E c, E d, R c, R a
#include "situation.h"

PROBED int p_d(int n) { return n * 2; }

PROBED int p_c(int n) {
  int doubled = p_d(n);
  KEEP(doubled);
  return doubled + 1;
}

PROBED int p_b(int n) {
  int odd = p_c(n);
  KEEP(odd);
  return odd + 1;
}

PROBED int p_a(int n) {
  int first = p_b(n);
  KEEP(first);
  int second = p_c(first);
  KEEP(second);
  return second;
}

int main(void) { return p_a(1) == 9 ? 0 : 1; }
