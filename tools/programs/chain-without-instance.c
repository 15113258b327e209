// A jump into a probed function with the trampoline's address as return address, and nothing
// entered: there is no call to chain to, and the return through the trampoline is one too many.
//
// Without probes there is no trampoline to be found, and nothing is forged.
//
// Probes: uretprobe:PROGRAM:p_first uretprobe:PROGRAM:p_forged
// Expect-unprobed: exit 0
// Expect-probed-6.18: signal 4
// Observed-6.18: E first, R first, E forged
#include <string.h>

#include "situation.h"

#if RETURN_SLOT_ON_STACK

PROBED int p_first(int n) { return n + 1; }
PROBED int p_forged(int n) { return n + 1; }

// Where the page of the trampoline is; 0 when no return is probed.
static uintptr_t trampoline(void) {
  FILE *maps = fopen("/proc/self/maps", "r");
  char line[512];
  unsigned long start = 0;
  REQUIRE(maps);
  while (fgets(line, sizeof line, maps)) {
    if (strstr(line, "[uprobes]")) sscanf(line, "%lx", &start);
  }
  fclose(maps);
  return start;
}

int main(void) {
  REQUIRE(p_first(1) == 2);
  uintptr_t address = trampoline();
  if (address == 0) return 0;
  __asm__ volatile("pushq %0\n  jmp p_forged" : : "r"(address) : "memory");
  return 1;
}

#else
NOT_ON_THIS_ARCHITECTURE()
#endif
