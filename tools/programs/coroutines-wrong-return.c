// Two coroutines wait in probed functions, the first one on the lower stack; the first one
// continues first, and the kernel sends it silently to the return address of the second.
//
// Exit 0 says that p_a came back to its own caller, exit 6 that it came back to p_b's.
//
// Probes: uretprobe:PROGRAM:p_a uretprobe:PROGRAM:p_b
// Expect-unprobed: exit 0
// Expect-probed-6.18: exit 6
// Observed-6.18: E a, E b, R b
#include <ucontext.h>
#include <unistd.h>

#include "situation.h"

enum { size = 64 * 1024 };

static _Alignas(16) char stacks[2][size];
static ucontext_t scheduler, first, second;
static uintptr_t first_frame;

PROBED int p_a(int n) {
  first_frame = FRAME();
  swapcontext(&first, &scheduler);
  KEEP(n);
  return n;
}

PROBED int p_b(int n) {
  REQUIRE(first_frame < FRAME());
  swapcontext(&second, &scheduler);
  KEEP(n);
  return n;
}

// Neither body uses its stack after the probed call, so that either can end the process cleanly
// from the other's stack.
static void first_body(void) {
  p_a(1);
  _exit(0);
}

static void second_body(void) {
  p_b(2);
  _exit(6);
}

static void prepare(ucontext_t *context, char *stack, void (*body)(void)) {
  getcontext(context);
  context->uc_stack.ss_sp = stack;
  context->uc_stack.ss_size = size;
  context->uc_link = NULL;
  makecontext(context, body, 0);
}

int main(void) {
  prepare(&first, stacks[0], first_body);
  prepare(&second, stacks[1], second_body);
  swapcontext(&scheduler, &first);
  swapcontext(&scheduler, &second);
  swapcontext(&scheduler, &first);
  return 1;
}
