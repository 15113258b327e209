// A thread ends with pthread_exit two probed frames deep; then the main thread makes a probed call.
//
// Probes: uretprobe:PROGRAM:p_a uretprobe:PROGRAM:p_b uretprobe:PROGRAM:p_x
// Expect-unprobed: exit 0
// Expect-probed-6.18: exit 0
// Observed-6.18: E a, E b | E x, R x
#include <pthread.h>

#include "situation.h"

PROBED int p_x(int n) { return n + 1; }

PROBED int p_b(int n) {
  if (n == 2) pthread_exit((void *)7);
  return n;
}

PROBED int p_a(int n) {
  int result = p_b(n + 1);
  KEEP(result);
  return result;
}

static void *worker(void *argument) {
  p_a(1);
  return argument;
}

int main(void) {
  pthread_t thread;
  void *result;
  if (pthread_create(&thread, NULL, worker, NULL) != 0) return 1;
  pthread_join(thread, &result);
  return (intptr_t)result == 7 && p_x(1) == 2 ? 0 : 1;
}
