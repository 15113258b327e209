// The program jumps to the trampoline while no return is pending.
//
// Without probes there is no trampoline to jump to, which the program can tell.
//
// Probes: uretprobe:PROGRAM:p_g
// Expect-unprobed: exit 0
// Expect-probed-6.18: signal 4
// Observed-6.18: E g, R g
#include "situation.h"

#if RETURN_SLOT_ON_STACK

uintptr_t call_g(void);

// p_g returns what it finds in its return slot; call_g turns its true return address into zero.
__asm__(
    ".text\n"
    ".globl call_g\n"
    ".type call_g, @function\n"
    "call_g:\n"
    "  subq $8, %rsp\n"
    "  call p_g\n"
    "after_g:\n"
    "  leaq after_g(%rip), %rdx\n"
    "  xorl %ecx, %ecx\n"
    "  cmpq %rdx, %rax\n"
    "  cmoveq %rcx, %rax\n"
    "  addq $8, %rsp\n"
    "  ret\n"
    ".size call_g, . - call_g\n"
    ".globl p_g\n"
    ".type p_g, @function\n"
    "p_g:\n"
    "  movq (%rsp), %rax\n"
    "  ret\n"
    ".size p_g, . - p_g\n");

int main(void) {
  uintptr_t trampoline = call_g();
  if (trampoline == 0) return 0;
  ((void (*)(void))trampoline)();
  return 1;
}

#else
NOT_ON_THIS_ARCHITECTURE()
#endif
