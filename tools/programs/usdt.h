// A tracepoint as <sys/sdt.h> makes it: a nop, and a note that says where it is, what it is called and
// which counter tells the program that somebody watches it.
#ifndef USDT_H
#define USDT_H

#include "situation.h"

// The counter of a tracepoint, at the file's top level.
#define USDT_SEMAPHORE(provider, name)                                         \
  __attribute__((section(".probes"), visibility("hidden")))                    \
  volatile unsigned short provider##_##name##_semaphore

// Whether somebody watches.
#define USDT_ENABLED(provider, name) (provider##_##name##_semaphore != 0)

// The tracepoint, and behind it a place for a probe of its own, `p_AFTER`.
#define USDT(provider, name, after)                                            \
  __asm__ volatile("990: nop\n"                                                \
                   ".globl p_" #after "\n.type p_" #after ", %function\n"       \
                   "p_" #after ": nop\n"                                       \
                   ".pushsection .note.stapsdt, \"\", \"note\"\n"              \
                   ".balign 4\n.4byte 992f-991f, 994f-993f, 3\n"               \
                   "991: .asciz \"stapsdt\"\n992: .balign 4\n"                 \
                   "993: .8byte 990b, 0, " #provider "_" #name "_semaphore\n"  \
                   ".asciz \"" #provider "\"\n.asciz \"" #name "\"\n.asciz \"\"\n" \
                   "994: .balign 4\n.popsection\n")

#endif
