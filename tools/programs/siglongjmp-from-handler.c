// A signal handler on an alternate stack calls a probed function that siglongjmps to an older
// probed frame of the main stack.
//
// Probes: uretprobe:PROGRAM:p_base uretprobe:PROGRAM:p_outer uretprobe:PROGRAM:p_h uretprobe:PROGRAM:p_x
// Expect-unprobed: exit 0
// Expect-probed-6.18: exit 0
// Observed-6.18: E base, E outer, E h, R base, E x, R x
#include <setjmp.h>
#include <signal.h>

#include "situation.h"

static sigjmp_buf back;
static char stack[64 * 1024];

PROBED int p_x(int n) { return n + 1; }

PROBED int p_h(int n) {
  if (n == SIGUSR1) siglongjmp(back, 1);
  return n;
}

static void handler(int number) {
  int result = p_h(number);
  KEEP(result);
}

PROBED int p_outer(int n) {
  REQUIRE((uintptr_t)stack < FRAME());
  raise(SIGUSR1);
  KEEP(n);
  return n;
}

PROBED int p_base(int n) {
  if (sigsetjmp(back, 1) != 0) return 7;
  int result = p_outer(n);
  KEEP(result);
  return result;
}

int main(void) {
  stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
  if (sigaltstack(&alternate, NULL) != 0 || sigaction(SIGUSR1, &action, NULL) != 0) return 1;
  int base = p_base(1);
  return base == 7 && p_x(1) == 2 ? 0 : 1;
}
