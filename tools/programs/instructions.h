// What the programs about single instructions need: straight code with a probe on every instruction,
// so that each hit shows what the one before it did.
#ifndef INSTRUCTIONS_H
#define INSTRUCTIONS_H

#include "situation.h"

// A function written in assembly. It begins with no probe; labels come by P.
#define CODE(name, body)                                                       \
  __asm__(".text\n.balign 64\n.globl " #name "\n.type " #name ", @function\n"  \
          #name ":\n" body ".size " #name ", . - " #name "\n")

// A place for a probe, on the instruction that follows.
#define P(name)                                                                \
  ".globl p_" #name "\n.type p_" #name ", @function\np_" #name ":\n"

#endif
