// fork two probed frames deep: parent and child both return through both frames.
//
// Probes: uretprobe:PROGRAM:p_o uretprobe:PROGRAM:p_f uretprobe:PROGRAM:p_x
// Expect-unprobed: exit 0
// Expect-probed-6.18: exit 0
// Observed-6.18: E o, E f, R f, R o, E x, R x | R f, R o, E x, R x
#include <sys/wait.h>
#include <unistd.h>

#include "situation.h"

static int child_status = -1;

PROBED int p_x(int n) { return n + 1; }

// The parent waits in here, so that the child's hits all come first.
PROBED int p_f(int n) {
  pid_t child = fork();
  if (child > 0) waitpid(child, &child_status, 0);
  KEEP(n);
  return child < 0 ? -1 : n;
}

PROBED int p_o(int n) {
  int result = p_f(n);
  KEEP(result);
  return result;
}

int main(void) {
  int outer = p_o(7);
  int later = p_x(1);
  if (outer != 7 || later != 2) return 1;
  // The child has no child and still holds -1.
  return child_status == -1 || child_status == 0 ? 0 : 1;
}
