// A signal interrupts a probed function, and its handler makes probed calls on an alternate stack
// that lies above the interrupted frame.
//
// Probes: uretprobe:PROGRAM:p_outer uretprobe:PROGRAM:p_h uretprobe:PROGRAM:p_x
// Expect-unprobed: exit 0
// Expect-probed-6.18: signal 4
// Observed-6.18: E outer, E h, E x, R x, R h
#include <signal.h>

#include "situation.h"

static uintptr_t outer_frame;
static volatile int handled;

PROBED int p_x(int n) { return n + 1; }

PROBED int p_h(int n) {
  int result = p_x(n);
  KEEP(result);
  return result;
}

static void handler(int number) {
  uintptr_t inside = FRAME();
  REQUIRE(inside > outer_frame);
  handled = p_h(number);
}

PROBED int p_outer(int n) {
  outer_frame = FRAME();
  raise(SIGUSR1);
  KEEP(n);
  return n;
}

PLAIN int run(char *stack, size_t size) {
  stack_t alternate = {.ss_sp = stack, .ss_size = size};
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
  if (sigaltstack(&alternate, NULL) != 0 || sigaction(SIGUSR1, &action, NULL) != 0) return 1;
  int result = p_outer(7);
  KEEP(result);
  return result == 7 && handled == SIGUSR1 + 1 ? 0 : 1;
}

int main(void) {
  char high[64 * 1024];
  return run(high, sizeof high);
}
