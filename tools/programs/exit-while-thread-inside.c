// The process exits while another thread is two probed frames deep.
//
// Probes: uretprobe:PROGRAM:p_w uretprobe:PROGRAM:p_sleep uretprobe:PROGRAM:p_x
// Expect-unprobed: exit 0
// Expect-probed-6.18: exit 0
// Observed-6.18: E w, E sleep | E x, R x
#include <pthread.h>
#include <unistd.h>

#include "situation.h"

static pthread_barrier_t inside;

PROBED int p_x(int n) { return n + 1; }

PROBED int p_sleep(int n) {
  pthread_barrier_wait(&inside);
  for (;;) pause();
  return n;
}

PROBED int p_w(int n) {
  int result = p_sleep(n);
  KEEP(result);
  return result;
}

static void *worker(void *argument) {
  p_w(1);
  return argument;
}

int main(void) {
  pthread_t thread;
  pthread_barrier_init(&inside, NULL, 2);
  if (pthread_create(&thread, NULL, worker, NULL) != 0) return 1;
  pthread_barrier_wait(&inside);
  _exit(p_x(1) == 2 ? 0 : 1);
}
