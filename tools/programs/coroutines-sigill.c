// Two coroutines wait in probed functions, the first one on the higher stack; the first one
// returns, which makes the kernel forget the second, whose return then finds no instance.
//
// Probes: uretprobe:PROGRAM:p_a uretprobe:PROGRAM:p_b
// Expect-unprobed: exit 0
// Expect-probed-6.18: signal 4
// Observed-6.18: E a, E b, R a
#include <ucontext.h>

#include "situation.h"

enum { size = 64 * 1024 };

static _Alignas(16) char stacks[2][size];
static ucontext_t scheduler, first, second;
static uintptr_t first_frame;
static int sum;

PROBED int p_a(int n) {
  first_frame = FRAME();
  swapcontext(&first, &scheduler);
  KEEP(n);
  return n;
}

PROBED int p_b(int n) {
  REQUIRE(first_frame > FRAME());
  swapcontext(&second, &scheduler);
  KEEP(n);
  return n;
}

static void first_body(void) { sum += p_a(1); }

static void second_body(void) { sum += p_b(2); }

static void prepare(ucontext_t *context, char *stack, void (*body)(void)) {
  getcontext(context);
  context->uc_stack.ss_sp = stack;
  context->uc_stack.ss_size = size;
  context->uc_link = &scheduler;
  makecontext(context, body, 0);
}

int main(void) {
  prepare(&first, stacks[1], first_body);
  prepare(&second, stacks[0], second_body);
  swapcontext(&scheduler, &first);
  swapcontext(&scheduler, &second);
  swapcontext(&scheduler, &first);
  swapcontext(&scheduler, &second);
  return sum == 3 ? 0 : 1;
}
