// A fork inside a function with one tracer, after a call of a function with several: a kernel that
// keeps its return instances for reuse copies to the child what the earlier one left behind.
//
// Probes: uretprobe:PROGRAM:p_single uretprobe:PROGRAM:p_shared
// Expect-unprobed: exit 0
// Expect-probed-6.18: exit 0
// Observed-6.18: E shared, R shared, E single, R single, E shared, R shared | R single, E shared, R shared
#include <sys/wait.h>
#include <unistd.h>

#include "situation.h"

static int child_status = -1;

PROBED int p_shared(int n) { return n + 1; }

PROBED int p_single(int n) {
  pid_t child = fork();
  if (child > 0) waitpid(child, &child_status, 0);
  KEEP(n);
  return child < 0 ? -1 : n;
}

int main(void) {
  int before = p_shared(1);
  int forked = p_single(7);
  int after = p_shared(2);
  if (before != 2 || forked != 7 || after != 3) return 1;
  // The child has no child and still holds -1.
  return child_status == -1 || child_status == 0 ? 0 : 1;
}
