// Calls and returns: the near call is emulated, calls through a register or memory and all
// returns are stepped, and a stepped call's return address is put right afterwards.
//
// Probes: uprobe:PROGRAM:p_call uprobe:PROGRAM:p_call_register uprobe:PROGRAM:p_call_memory uprobe:PROGRAM:p_call_relative uprobe:PROGRAM:p_push_number uprobe:PROGRAM:p_call_popping uprobe:PROGRAM:p_after uprobe:PROGRAM:p_pop uprobe:PROGRAM:p_end uprobe:PROGRAM:p_callee uprobe:PROGRAM:p_callee_ret uprobe:PROGRAM:p_popping uprobe:PROGRAM:p_popping_ret
// Expect-unprobed: exit 0
// Expect-probed-6.18: exit 0
// Observed-6.18: E call, E callee, E callee_ret, E call_register, E callee, E callee_ret, E call_memory, E callee, E callee_ret, E call_relative, E callee, E callee_ret, E push_number, E call_popping, E popping, E popping_ret, E after, E pop, E end
#include "instructions.h"

#if RETURN_SLOT_ON_STACK

// Calls p_callee in four ways, which adds one each time, then p_popping, which takes its argument off
// the stack.
long do_calls(void);

CODE(do_calls,
     "  pushq %rbx\n"
     "  xorl %eax, %eax\n"
     "  leaq p_callee(%rip), %rcx\n"
     "  leaq callee_pointer(%rip), %rbx\n"
     P(call) "  call p_callee\n"
     P(call_register) "  call *%rcx\n"
     P(call_memory) "  call *(%rbx)\n"
     P(call_relative) "  call *callee_pointer(%rip)\n"
     P(push_number) "  pushq $7\n"
     P(call_popping) "  call p_popping\n"
     P(after) "  nop\n"
     P(pop) "  popq %rbx\n"
     P(end) "  ret\n"
     P(callee) "  incl %eax\n"
     P(callee_ret) "  ret\n"
     P(popping) "  addl 8(%rsp), %eax\n"
     P(popping_ret) "  ret $8\n"
     ".data\n.balign 8\ncallee_pointer: .quad p_callee\n.text\n");

int main(void) { return do_calls() == 11 ? 0 : 1; }

#else
NOT_ON_THIS_ARCHITECTURE()
#endif
