// A 32-bit program on a 64-bit kernel: a call within a call, and a tail call. Return addresses have
// four bytes there, and whatever lies above them must stay as it is.
//
// Probes: uretprobe:PROGRAM:p_outer uretprobe:PROGRAM:p_inner uretprobe:PROGRAM:p_t1 uretprobe:PROGRAM:p_t2
// Flags-x86_64: -m32 -ffreestanding -nostdlib -static -fno-pic -no-pie -fno-stack-protector -Wl,--build-id
// Tail-calls: p_t1=>p_t2
// Expect-unprobed: exit 0
// Expect-probed-6.18: exit 0
// Observed-6.18: E outer, E inner, R inner, E inner, R inner, R outer, E t1, E t2, R t2, R t1
#if defined(__i386__)

// No library: the 32-bit ones are on few hosts.
#define PROBED __attribute__((noinline, noipa))
#define KEEP(value) __asm__ volatile("" : "+r"(value) : : "memory")

PROBED int p_inner(int n) { return n + 1; }

PROBED int p_outer(int n) {
  int result = p_inner(n);
  KEEP(result);
  return result + p_inner(result);
}

PROBED int p_t2(int n) { return n * 2; }

PROBED int p_t1(int n) { return p_t2(n + 1); }

// Linux's system call 1 is exit.
static void leave(int status) { __asm__ volatile("int $0x80" : : "a"(1), "b"(status)); }

void _start(void) { leave(p_outer(2) == 7 && p_t1(4) == 10 ? 0 : 1); }

#else
#include "situation.h"
NOT_ON_THIS_ARCHITECTURE()
#endif
