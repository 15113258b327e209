// Several processes run the probed file at the same time: this one, two that start it anew, and a
// fork of it. One probe serves them all, with breakpoints in each.
//
// Probes: uretprobe:PROGRAM:p_work uprobe:PROGRAM:p_leaf
// Expect-unprobed: exit 0
// Expect-probed-6.18: exit 0
// Observed-6.18: E work, E leaf, R work | E work, E leaf, R work, E work, E leaf, R work | E work, E leaf, R work, E work, E leaf, R work, E work, E leaf, R work | E work, E leaf, R work, E work, E leaf, R work, E work, E leaf, R work, E work, E leaf, R work
#include "situation.h"

#include <sys/wait.h>
#include <unistd.h>

PROBED int p_leaf(int n) { return n + 1; }

PROBED int p_work(int n) {
  n = p_leaf(n);
  KEEP(n);
  return n;
}

static int wait_for(int children) {
  int failed = 0;
  while (children-- > 0) {
    int status = 0;
    if (wait(&status) < 0 || status != 0)
      failed = 1;
  }
  return failed;
}

int main(int argc, char **argv) {
  // Started anew: as many calls as the argument says.
  if (argc > 1) {
    for (int i = 0; i < argv[1][0] - '0'; i++)
      p_work(i);
    return 0;
  }
  p_work(0);
  static char *const arguments[] = {"3", "4"};
  for (int i = 0; i < 2; i++) {
    if (fork() == 0) {
      execl(argv[0], argv[0], arguments[i], (char *)0);
      _exit(1);
    }
  }
  if (fork() == 0) {
    p_work(1);
    p_work(2);
    _exit(0);
  }
  return wait_for(3);
}
