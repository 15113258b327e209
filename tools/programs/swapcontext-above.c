// A probed function waits on a coroutine stack above the running frame of the main stack while a
// probed function is called on the main stack.
//
// Probes: uretprobe:PROGRAM:p_co uretprobe:PROGRAM:p_x
// Expect-unprobed: exit 0
// Expect-probed-6.18: exit 0
// Observed-6.18: E co, E x, R x, R co
#include <ucontext.h>

#include "situation.h"

static ucontext_t caller, coroutine;
static uintptr_t waiting;
static int finished;

PROBED int p_x(int n) {
  REQUIRE(waiting > FRAME());
  return n + 1;
}

PROBED int p_co(int n) {
  waiting = FRAME();
  swapcontext(&coroutine, &caller);
  KEEP(n);
  return n;
}

static void body(void) { finished = p_co(7); }

PLAIN int run(char *stack, size_t size) {
  getcontext(&coroutine);
  coroutine.uc_stack.ss_sp = stack;
  coroutine.uc_stack.ss_size = size;
  coroutine.uc_link = &caller;
  makecontext(&coroutine, body, 0);
  swapcontext(&caller, &coroutine);
  int during = p_x(1);
  swapcontext(&caller, &coroutine);
  return during == 2 && finished == 7 ? 0 : 1;
}

int main(void) {
  char high[64 * 1024];
  return run(high, sizeof high);
}
