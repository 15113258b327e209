// Stepped instructions whose effect is all in registers and on the stack: moves, addresses, sums and
// differences, and calls and pushes through a word of the stack.
//
// Probes: uprobe:PROGRAM:p_frame uprobe:PROGRAM:p_room uprobe:PROGRAM:p_address uprobe:PROGRAM:p_store uprobe:PROGRAM:p_call_stack uprobe:PROGRAM:p_push_stack uprobe:PROGRAM:p_pop uprobe:PROGRAM:p_number uprobe:PROGRAM:p_wide uprobe:PROGRAM:p_scaled uprobe:PROGRAM:p_add uprobe:PROGRAM:p_subtract uprobe:PROGRAM:p_load uprobe:PROGRAM:p_load_half uprobe:PROGRAM:p_exchange uprobe:PROGRAM:p_jump_stack uprobe:PROGRAM:p_leave uprobe:PROGRAM:p_ret uprobe:PROGRAM:p_callee uprobe:PROGRAM:p_callee_ret
// Expect-unprobed: exit 0
// Expect-probed-6.18: exit 0
// Observed-6.18: E frame, E room, E address, E store, E call_stack, E callee, E callee_ret, E push_stack, E pop, E number, E wide, E scaled, E add, E subtract, E load, E load_half, E exchange, E jump_stack, E leave, E ret
#include "instructions.h"

#if RETURN_SLOT_ON_STACK

// Works out a number through its frame and the function it calls.
long do_moves(void);

CODE(do_moves,
     "  pushq %rbp\n"
     P(frame) "  movq %rsp, %rbp\n"
     P(room) "  subq $32, %rsp\n"
     P(address) "  leaq p_callee(%rip), %r9\n"
     P(store) "  movq %r9, 8(%rsp)\n"
     P(call_stack) "  call *8(%rsp)\n"
     P(push_stack) "  pushq 8(%rsp)\n"
     P(pop) "  popq %rdx\n"
     P(number) "  movl $5, %ecx\n"
     P(wide) "  movabsq $0x123456789abcdef0, %r8\n"
     P(scaled) "  leal 1(%rcx, %rcx, 2), %esi\n"
     P(add) "  addl %esi, %eax\n"
     P(subtract) "  subq %rcx, %r8\n"
     P(load) "  movq 8(%rsp), %rdi\n"
     P(load_half) "  movl 8(%rsp), %r10d\n"
     P(exchange) "  xchgq %rax, %rdx\n"
     "  leaq p_leave(%rip), %r9\n"
     "  movq %r9, 16(%rsp)\n"
     P(jump_stack) "  jmp *16(%rsp)\n"
     "  ud2\n"
     P(leave) "  leave\n"
     P(ret) "  ret\n"
     P(callee) "  movl $3, %eax\n"
     P(callee_ret) "  ret\n");

extern char p_callee[];

// The exchange left the address that was pushed and popped.
int main(void) { return do_moves() == (long)p_callee ? 0 : 1; }

#else
NOT_ON_THIS_ARCHITECTURE()
#endif
