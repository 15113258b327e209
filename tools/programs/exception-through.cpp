// A C++ exception is thrown through three probed frames; the unwinder cannot pass a hijacked return
// address and ends the process.
//
// Probes: uretprobe:PROGRAM:p_a uretprobe:PROGRAM:p_b uretprobe:PROGRAM:p_c uretprobe:PROGRAM:p_x
// Expect-unprobed: exit 0
// Expect-probed-6.18: signal 6
// Observed-6.18: E a, E b, E c
#include "situation.h"

extern "C" PROBED int p_x(int n) { return n + 1; }

extern "C" PROBED int p_c(int n) {
  if (n == 3) throw n;
  return n;
}

extern "C" PROBED int p_b(int n) {
  int result = p_c(n + 1);
  KEEP(result);
  return result;
}

extern "C" PROBED int p_a(int n) {
  int result = p_b(n + 1);
  KEEP(result);
  return result;
}

int main() {
  try {
    p_a(1);
  } catch (int thrown) {
    return thrown == 3 && p_x(1) == 2 ? 0 : 1;
  }
  return 1;
}
