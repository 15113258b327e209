// A function of which only entries are traced, between functions whose returns are: it gets no
// return instance, and its return address stays.
//
// Probes: uretprobe:PROGRAM:p_outer uprobe:PROGRAM:p_entry uretprobe:PROGRAM:p_inner
// Expect-unprobed: exit 0
// Expect-probed-6.18: exit 0
// Observed-6.18: E outer, E entry, E inner, R inner, R outer
#include "situation.h"

PROBED int p_inner(int n) { return n + 1; }

PROBED int p_entry(int n) {
  int result = p_inner(n);
  KEEP(result);
  return result + 1;
}

PROBED int p_outer(int n) {
  int result = p_entry(n);
  KEEP(result);
  return result + 1;
}

int main(void) { return p_outer(1) == 4 ? 0 : 1; }
