// vfork inside a probed function; the child makes a probed call on the shared stack and exits.
//
// Probes: uretprobe:PROGRAM:p_v uretprobe:PROGRAM:p_x
// Expect-unprobed: exit 0
// Expect-probed-6.18: exit 0
// Observed-6.18: E v, R v | E x, R x
#include <sys/wait.h>
#include <unistd.h>

#include "situation.h"

PROBED int p_x(int n) { return n + 1; }

PROBED int p_v(void) {
  pid_t child = vfork();
  if (child == 0) _exit(p_x(6));
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(void) { return p_v() == 7 ? 0 : 1; }
