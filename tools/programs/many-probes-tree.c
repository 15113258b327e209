// A fixed call tree over eight functions: siblings, repeats, a recursion and a tail call.
//
// Probes: uretprobe:PROGRAM:p_root uretprobe:PROGRAM:p_left uretprobe:PROGRAM:p_right uretprobe:PROGRAM:p_twice uretprobe:PROGRAM:p_rec uretprobe:PROGRAM:p_pass uretprobe:PROGRAM:p_leaf uretprobe:PROGRAM:p_last
// Tail-calls: p_pass=>p_leaf
// Expect-unprobed: exit 0
// Expect-probed-6.18: exit 0
// Observed-6.18: E root, E left, E twice, E leaf, R leaf, E leaf, R leaf, R twice, E rec x3, R rec x3, R left, E right, E pass, E leaf, R leaf, R pass, E twice, E leaf, R leaf, E leaf, R leaf, R twice, R right, E last, R last, R root
#include "situation.h"

PROBED int p_leaf(int n) { return n + 1; }

PROBED int p_pass(int n) { return p_leaf(n + 10); }

PROBED int p_rec(int n) {
  if (n == 0) return 0;
  int below = p_rec(n - 1);
  KEEP(below);
  return below + 1;
}

PROBED int p_twice(int n) {
  int once = p_leaf(n);
  KEEP(once);
  int twice = p_leaf(once);
  KEEP(twice);
  return twice;
}

PROBED int p_left(int n) {
  int twice = p_twice(n);
  KEEP(twice);
  int depth = p_rec(2);
  KEEP(depth);
  return twice + depth;
}

PROBED int p_right(int n) {
  int passed = p_pass(n);
  KEEP(passed);
  int twice = p_twice(passed);
  KEEP(twice);
  return twice;
}

PROBED int p_last(int n) { return n * 2; }

PROBED int p_root(int n) {
  int left = p_left(n);
  KEEP(left);
  int right = p_right(left);
  KEEP(right);
  int last = p_last(right);
  KEEP(last);
  return last;
}

int main(void) { return p_root(1) == 36 ? 0 : 1; }
