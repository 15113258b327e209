// A probed function starts a coroutine on a lower stack, which waits in a probed function, and
// returns before it; the coroutine's own return then finds no instance.
//
// Probes: uretprobe:PROGRAM:p_outer uretprobe:PROGRAM:p_co
// Expect-unprobed: exit 0
// Expect-probed-6.18: signal 4
// Observed-6.18: E outer, E co, R outer
#include <ucontext.h>

#include "situation.h"

static _Alignas(16) char stack[64 * 1024];
static ucontext_t caller, coroutine;
static uintptr_t outer_frame;
static int finished;

PROBED int p_co(int n) {
  REQUIRE(FRAME() < outer_frame);
  swapcontext(&coroutine, &caller);
  KEEP(n);
  return n;
}

static void body(void) { finished = p_co(7); }

PROBED int p_outer(int n) {
  outer_frame = FRAME();
  swapcontext(&caller, &coroutine);
  KEEP(n);
  return n;
}

int main(void) {
  getcontext(&coroutine);
  coroutine.uc_stack.ss_sp = stack;
  coroutine.uc_stack.ss_size = sizeof stack;
  coroutine.uc_link = &caller;
  makecontext(&coroutine, body, 0);
  int outer = p_outer(5);
  swapcontext(&caller, &coroutine);
  return outer == 5 && finished == 7 ? 0 : 1;
}
