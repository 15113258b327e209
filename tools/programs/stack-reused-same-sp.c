// A coroutine is abandoned inside a probed function, and a new one on the same stack makes its
// first probed call at the very same stack pointer.
//
// Probes: uretprobe:PROGRAM:p_co uretprobe:PROGRAM:p_x
// Expect-unprobed: exit 0
// Expect-probed-6.18: exit 0
// Observed-6.18: E co, E x, R x, E co, R co, E x, R x
#include <ucontext.h>

#include "situation.h"

static _Alignas(16) char stack[64 * 1024];
static ucontext_t caller, coroutine;
static uintptr_t co_frame, x_frame;
static int (*callee)(int);
static int abandon;

PROBED int p_x(int n) {
  x_frame = FRAME();
  return n + 1;
}

PROBED int p_co(int n) {
  co_frame = FRAME();
  if (abandon) swapcontext(&coroutine, &caller);
  KEEP(n);
  return n;
}

static void body(void) {
  int result = callee(7);
  KEEP(result);
}

static void start(int (*function)(int)) {
  callee = function;
  getcontext(&coroutine);
  coroutine.uc_stack.ss_sp = stack;
  coroutine.uc_stack.ss_size = sizeof stack;
  coroutine.uc_link = &caller;
  makecontext(&coroutine, body, 0);
  swapcontext(&caller, &coroutine);
}

int main(void) {
  abandon = 1;
  start(p_co);
  start(p_x);
  REQUIRE(co_frame == x_frame);
  abandon = 0;
  start(p_co);
  return p_x(1) == 2 ? 0 : 1;
}
