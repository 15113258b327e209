// The push of each of the sixteen registers, which the kernel emulates since 4.16. The pushed
// stack pointer is the one from before.
//
// Probes: uprobe:PROGRAM:p_push_ax uprobe:PROGRAM:p_push_cx uprobe:PROGRAM:p_push_dx uprobe:PROGRAM:p_push_bx uprobe:PROGRAM:p_push_sp uprobe:PROGRAM:p_push_bp uprobe:PROGRAM:p_push_si uprobe:PROGRAM:p_push_di uprobe:PROGRAM:p_push_r8 uprobe:PROGRAM:p_push_r9 uprobe:PROGRAM:p_push_r10 uprobe:PROGRAM:p_push_r11 uprobe:PROGRAM:p_push_r12 uprobe:PROGRAM:p_push_r13 uprobe:PROGRAM:p_push_r14 uprobe:PROGRAM:p_push_r15 uprobe:PROGRAM:p_end
// Expect-unprobed: exit 0
// Expect-probed-6.18: exit 0
// Observed-6.18: E push_ax, E push_cx, E push_dx, E push_bx, E push_sp, E push_bp, E push_si, E push_di, E push_r8, E push_r9, E push_r10, E push_r11, E push_r12, E push_r13, E push_r14, E push_r15, E end
#include "instructions.h"

#if RETURN_SLOT_ON_STACK

// Pushes all registers and returns the sum of what it pops, without the stack pointer.
long do_pushes(void);

CODE(do_pushes,
     "  pushq %rbx\n"
     "  pushq %rbp\n"
     "  pushq %r12\n"
     "  movl $0x10, %eax\n"
     "  movl $0x100, %ebx\n"
     "  movl $0x1000, %ebp\n"
     "  movl $0x10000, %r12d\n"
     P(push_ax) "  pushq %rax\n"
     P(push_cx) "  pushq %rcx\n"
     P(push_dx) "  pushq %rdx\n"
     P(push_bx) "  pushq %rbx\n"
     P(push_sp) "  pushq %rsp\n"
     P(push_bp) "  pushq %rbp\n"
     P(push_si) "  pushq %rsi\n"
     P(push_di) "  pushq %rdi\n"
     P(push_r8) "  pushq %r8\n"
     P(push_r9) "  pushq %r9\n"
     P(push_r10) "  pushq %r10\n"
     P(push_r11) "  pushq %r11\n"
     P(push_r12) "  pushq %r12\n"
     P(push_r13) "  pushq %r13\n"
     P(push_r14) "  pushq %r14\n"
     P(push_r15) "  pushq %r15\n"
     P(end) "  movq (%rsp), %rax\n"
     "  movq 88(%rsp), %rcx\n"
     "  subq %rsp, %rcx\n"
     "  addq 96(%rsp), %rax\n"
     "  addq 80(%rsp), %rax\n"
     "  addq 120(%rsp), %rax\n"
     "  subq 0(%rsp), %rax\n"
     "  leaq (%rax, %rcx, 1), %rax\n"
     "  leaq 128(%rsp), %rsp\n"
     "  popq %r12\n"
     "  popq %rbp\n"
     "  popq %rbx\n"
     "  ret\n");

// The bases, and how far the pushed stack pointer is above the last one: twelve words.
int main(void) { return do_pushes() == 0x1110 + 12 * 8 ? 0 : 1; }

#else
NOT_ON_THIS_ARCHITECTURE()
#endif
