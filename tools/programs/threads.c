// Three threads are inside the same nested probed functions at the same time; then a thread is
// created inside a probed function and outlives it.
//
// Probes: uretprobe:PROGRAM:p_work uretprobe:PROGRAM:p_inner uretprobe:PROGRAM:p_spawn uretprobe:PROGRAM:p_y uretprobe:PROGRAM:p_x
// Expect-unprobed: exit 0
// Expect-probed-6.18: exit 0
// Observed-6.18: E spawn, R spawn | 3 threads: E work, E inner, R inner, R work | E y, E x, R x, R y
#include <pthread.h>

#include "situation.h"

enum { workers = 3 };

static pthread_barrier_t all_inside, spawn_returned;
static pthread_t late;

PROBED int p_inner(int n) {
  pthread_barrier_wait(&all_inside);
  KEEP(n);
  return n;
}

PROBED int p_work(int n) {
  int result = p_inner(n + 1);
  KEEP(result);
  return result;
}

static void *worker(void *argument) {
  return (void *)(intptr_t)p_work((int)(intptr_t)argument);
}

PROBED int p_x(int n) { return n + 1; }

PROBED int p_y(int n) {
  int result = p_x(n);
  KEEP(result);
  return result;
}

static void *late_worker(void *argument) {
  pthread_barrier_wait(&spawn_returned);
  return (void *)(intptr_t)p_y((int)(intptr_t)argument);
}

PROBED int p_spawn(int n) {
  int error = pthread_create(&late, NULL, late_worker, (void *)(intptr_t)n);
  KEEP(error);
  return error;
}

int main(void) {
  pthread_t thread[workers];
  void *result;
  int sum = 0;
  pthread_barrier_init(&all_inside, NULL, workers);
  pthread_barrier_init(&spawn_returned, NULL, 2);
  for (int i = 0; i < workers; i++)
    if (pthread_create(&thread[i], NULL, worker, (void *)(intptr_t)i) != 0) return 1;
  for (int i = 0; i < workers; i++) {
    pthread_join(thread[i], &result);
    sum += (int)(intptr_t)result;
  }
  if (p_spawn(7) != 0) return 1;
  pthread_barrier_wait(&spawn_returned);
  pthread_join(late, &result);
  return sum == 6 && (intptr_t)result == 8 ? 0 : 1;
}
