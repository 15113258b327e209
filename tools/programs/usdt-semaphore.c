// A tracepoint whose semaphore the kernel counts up while it is probed: the program prepares what it
// has to tell only then, and its exit status says how often it did.
//
// Probes: usdt:PROGRAM:probetape:request uprobe:PROGRAM:p_after uretprobe:PROGRAM:p_describe
// Expect-unprobed: exit 0
// Expect-probed-6.18: exit 3
// Observed-6.18: E describe, R describe, E request, E after, E describe, R describe, E request, E after, E describe, R describe, E request, E after
#include "usdt.h"

USDT_SEMAPHORE(probetape, request);

// What a watcher wants to know; costs too much to do for nobody.
PROBED int p_describe(int request) { return request * 7; }

PLAIN int answer(int request) {
  int described = 0;
  if (USDT_ENABLED(probetape, request)) {
    REQUIRE(p_describe(request) == request * 7);
    described = 1;
    USDT(probetape, request, after);
  }
  return described;
}

int main(void) {
  int described = 0;
  for (int request = 0; request < 3; request++) described += answer(request);
  return described;
}
