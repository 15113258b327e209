// execve inside a probed function: the frame is gone, and the new image makes a probed call.
//
// Probes: uretprobe:PROGRAM:p_e uretprobe:PROGRAM:p_x
// Expect-unprobed: exit 0
// Expect-probed-6.18: exit 0
// Observed-6.18: E e, E x, R x
#include <unistd.h>

#include "situation.h"

PROBED int p_x(int n) { return n + 1; }

PROBED int p_e(char *name) {
  char *arguments[] = {name, "again", NULL};
  int result = execv("/proc/self/exe", arguments);
  KEEP(result);
  return result;
}

int main(int argc, char **argv) {
  if (argc == 1) return p_e(argv[0]) == 0 ? 1 : 2;
  return p_x(1) == 2 ? 0 : 1;
}
