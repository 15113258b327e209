// A load: each of THREADS threads makes exactly CALLS probed calls, nested up to eight deep, with
// a tail call here and there, and the sum of what they computed is printed.
//
// `churn THREADS CALLS`. The sum depends on the two arguments alone. Every call gives one entry and
// one return.
//
// Probes: uretprobe:PROGRAM:p_node uretprobe:PROGRAM:p_pass uretprobe:PROGRAM:p_leaf
// Tail-calls: p_pass=>p_leaf
// Arguments: 2 12
// Expect-unprobed: exit 0
// Expect-probed-6.18: exit 0
// Observed-6.18: E node x7, E leaf, R leaf, R node x7, E node x3, E leaf, R leaf, R node x3 | E node, E node, E pass, E leaf, R leaf, R pass, R node, R node, E node x6, E leaf, R leaf, R node x6, E node, R node
#include <errno.h>
#include <pthread.h>

#include "situation.h"

enum { most_threads = 1024 };

// Each thread's own, on a cache line of its own.
struct load {
  _Alignas(64) uint64_t state;
  long left;
};

// The next number of a linear congruential sequence.
static uint32_t next(struct load *load) {
  load->state = load->state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(load->state >> 33);
}

PROBED uint64_t p_leaf(struct load *load) {
  load->left--;
  return next(load);
}

PROBED uint64_t p_pass(struct load *load) {
  load->left--;
  return p_leaf(load);
}

// Goes `depth` calls further down, as far as the calls that are left reach.
PROBED uint64_t p_node(struct load *load, int depth) {
  load->left--;
  uint64_t sum = next(load);
  if (load->left == 0) return sum;
  if (depth > 2)
    sum += p_node(load, depth - 1);
  else if (load->left >= 2 && sum % 4 == 0)
    sum += p_pass(load);
  else
    sum += p_leaf(load);
  KEEP(sum);
  return sum;
}

static void *worker(void *argument) {
  struct load *load = argument;
  uint64_t sum = 0;
  while (load->left > 0) sum += p_node(load, 2 + next(load) % 7);
  load->state = sum;
  return NULL;
}

// A positive decimal number, or -1.
static long number(const char *text, long most) {
  char *end;
  errno = 0;
  long value = strtol(text, &end, 10);
  return errno == 0 && end != text && *end == '\0' && value > 0 && value <= most ? value : -1;
}

int main(int argc, char **argv) {
  long threads = argc == 3 ? number(argv[1], most_threads) : -1;
  long calls = argc == 3 ? number(argv[2], 1000000000) : -1;
  if (threads < 0 || calls < 0) {
    fprintf(stderr, "usage: churn THREADS CALLS\n");
    return 2;
  }
  static struct load load[most_threads];
  static pthread_t thread[most_threads];
  uint64_t sum = 0;
  for (long i = 0; i < threads; i++) {
    load[i] = (struct load){.state = (uint64_t)i + 1, .left = calls};
    if (pthread_create(&thread[i], NULL, worker, &load[i]) != 0) return 1;
  }
  for (long i = 0; i < threads; i++) {
    pthread_join(thread[i], NULL);
    sum += load[i].state;
  }
  printf("%016llx\n", (unsigned long long)sum);
  return 0;
}
