// A function without a probe returns through the trampoline address that it found in the return
// slot of a probed caller: the kernel gives it the caller's return, 32 bytes too low on the stack.
//
// Without probes the slot holds the true address, which the program knows, and nothing is forged.
// With probes the continuation makes a probed call and then returns to the zero word that it finds
// where its own return address should be.
//
// Probes: uretprobe:PROGRAM:p_victim uretprobe:PROGRAM:p_x
// Expect-unprobed: exit 0
// Expect-probed-6.18: signal 11
// Observed-6.18: E victim, R victim, E x, R x
#include "situation.h"

#if RETURN_SLOT_ON_STACK

int call_victim(void);

// All frames are laid out here: p_victim's slot is S, its three words S-24 to S-8 are zero, forge's
// slot is S-32. A forged return continues at after_victim with sp S-24 instead of S+8.
__asm__(
    ".text\n"
    ".globl call_victim\n"
    ".type call_victim, @function\n"
    "call_victim:\n"
    "  subq $8, %rsp\n"
    "  call p_victim\n"
    "after_victim:\n"
    "  movl $1, %edi\n"
    "  call p_x\n"
    "  addq $8, %rsp\n"
    "  ret\n"
    ".size call_victim, . - call_victim\n"
    ".globl p_victim\n"
    ".type p_victim, @function\n"
    "p_victim:\n"
    "  movq (%rsp), %rdi\n"
    "  pushq $0\n"
    "  pushq $0\n"
    "  pushq $0\n"
    "  call forge\n"
    "  addq $24, %rsp\n"
    "  ret\n"
    ".size p_victim, . - p_victim\n"
    ".type forge, @function\n"
    "forge:\n"
    "  leaq after_victim(%rip), %rax\n"
    "  cmpq %rax, %rdi\n"
    "  je 1f\n"
    "  movq %rdi, (%rsp)\n"
    "1:\n"
    "  ret\n"
    ".size forge, . - forge\n");

PROBED int p_x(int n) { return n + 1; }

int main(void) {
  int result = call_victim();
  KEEP(result);
  return result == 2 ? 0 : 1;
}

#else
NOT_ON_THIS_ARCHITECTURE()
#endif
