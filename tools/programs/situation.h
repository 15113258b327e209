// What every program here needs: functions that stay functions, and checks of the stage.
#ifndef SITUATION_H
#define SITUATION_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

// A function to put probes on. The compiler neither inlines, clones nor merges it, and concludes
// nothing from its body, so every call in the source is a call in the binary.
#define PROBED __attribute__((noinline, noipa))

// The same for functions that must keep a frame of their own and carry no probe.
#define PLAIN __attribute__((noinline, noipa))

// Makes the compiler believe that `value` changes here. After a call it keeps the call from
// becoming a jump; in a recursive function it keeps the recursion from becoming a loop.
#define KEEP(value) __asm__ volatile("" : "+r"(value) : : "memory")

// The frame that runs this, as a number that can be compared.
#define FRAME() ((uintptr_t)__builtin_frame_address(0))

// Stops a program whose stage is not set as its situation needs it (exit by SIGABRT).
#define REQUIRE(condition)                                                     \
  do {                                                                         \
    if (!(condition)) {                                                        \
      fprintf(stderr, "%s:%d: not the situation: %s\n", __FILE__, __LINE__,    \
              #condition);                                                     \
      abort();                                                                 \
    }                                                                          \
  } while (0)

// Programs that write return slots by hand exist for x86-64 only.
#if defined(__x86_64__)
#define RETURN_SLOT_ON_STACK 1
#else
#define RETURN_SLOT_ON_STACK 0
#define NOT_ON_THIS_ARCHITECTURE()                                             \
  int main(void) {                                                             \
    fprintf(stderr, "this situation is written for x86-64\n");                 \
    return 77;                                                                 \
  }
#endif

#endif
