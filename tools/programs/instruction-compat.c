// Instructions of a 32-bit program on a 64-bit kernel: nops, pushes of four bytes, a call, and jumps
// that are taken and not.
//
// Probes: uprobe:PROGRAM:p_nop uprobe:PROGRAM:p_push uprobe:PROGRAM:p_push_sp uprobe:PROGRAM:p_call uprobe:PROGRAM:p_callee uprobe:PROGRAM:p_compare uprobe:PROGRAM:p_taken uprobe:PROGRAM:p_not_taken uprobe:PROGRAM:p_jump uprobe:PROGRAM:p_load uprobe:PROGRAM:p_end
// Flags-x86_64: -m32 -ffreestanding -nostdlib -static -fno-pic -no-pie -fno-stack-protector -Wl,--build-id
// Expect-unprobed: exit 0
// Expect-probed-6.18: exit 0
// Observed-6.18: E nop, E push, E push_sp, E call, E callee, E compare, E taken, E not_taken, E jump, E load, E end
#if defined(__i386__)

// A place for a probe, on the instruction that follows.
#define P(name) ".globl p_" #name "\n.type p_" #name ", @function\np_" #name ":\n"

// Returns what it pushed first.
int do_compat(void);

__asm__(".text\n.balign 64\n.globl do_compat\n.type do_compat, @function\ndo_compat:\n"
        "  movl $7, %ecx\n"
        P(nop) "  nop\n"
        P(push) "  pushl %ecx\n"
        P(push_sp) "  pushl %esp\n"
        P(call) "  call p_callee\n"
        P(compare) "  cmpl $7, %ecx\n"
        P(taken) "  je p_not_taken\n"
        "  ud2\n"
        P(not_taken) "  jne p_end\n"
        P(jump) "  jmp p_load\n"
        "  ud2\n"
        P(load) "  movl 4(%esp), %eax\n"
        P(end) "  addl $8, %esp\n"
        "  ret\n"
        P(callee) "  ret\n"
        ".size do_compat, . - do_compat\n");

// Linux's system call 1 is exit.
static void leave(int status) { __asm__ volatile("int $0x80" : : "a"(1), "b"(status)); }

void _start(void) { leave(do_compat() == 7 ? 0 : 1); }

#else
#include "situation.h"
NOT_ON_THIS_ARCHITECTURE()
#endif
