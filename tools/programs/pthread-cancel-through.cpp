// A thread is cancelled two probed frames deep; the unwinding ends at the first hijacked return
// address, so that the destructor in the outer frame is not run.
//
// Exit 0 says that the destructor was run, exit 3 that it was not.
//
// Probes: uretprobe:PROGRAM:p_a uretprobe:PROGRAM:p_b uretprobe:PROGRAM:p_x
// Expect-unprobed: exit 0
// Expect-probed-6.18: exit 3
// Observed-6.18: E a, E b | E x, R x
#include <pthread.h>
#include <unistd.h>

#include "situation.h"

static pthread_barrier_t inside;
static volatile bool destroyed;

struct Witness {
  ~Witness() { destroyed = true; }
};

extern "C" PROBED int p_x(int n) { return n + 1; }

extern "C" PROBED int p_b(int n) {
  pthread_barrier_wait(&inside);
  for (;;) pause();
  return n;
}

extern "C" PROBED int p_a(int n) {
  Witness witness;
  int result = p_b(n);
  KEEP(result);
  return result;
}

static void *worker(void *argument) {
  p_a(1);
  return argument;
}

int main() {
  pthread_t thread;
  void *result;
  pthread_barrier_init(&inside, nullptr, 2);
  if (pthread_create(&thread, nullptr, worker, nullptr) != 0) return 1;
  pthread_barrier_wait(&inside);
  pthread_cancel(thread);
  pthread_join(thread, &result);
  if (result != PTHREAD_CANCELED || p_x(1) != 2) return 1;
  return destroyed ? 0 : 3;
}
