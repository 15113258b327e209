// Instructions that are executed out of line: what they do not name has to be the same afterwards,
// and the instruction pointer behind the original.
//
// Probes: uprobe:PROGRAM:p_move uprobe:PROGRAM:p_add uprobe:PROGRAM:p_set uprobe:PROGRAM:p_multiply uprobe:PROGRAM:p_conditional uprobe:PROGRAM:p_push uprobe:PROGRAM:p_pop uprobe:PROGRAM:p_enter uprobe:PROGRAM:p_lower uprobe:PROGRAM:p_leave uprobe:PROGRAM:p_carry uprobe:PROGRAM:p_direction uprobe:PROGRAM:p_undirection uprobe:PROGRAM:p_extend uprobe:PROGRAM:p_identify uprobe:PROGRAM:p_end
// Expect-unprobed: exit 0
// Expect-probed-6.18: exit 0
// Observed-6.18: E move, E add, E set, E multiply, E conditional, E push, E pop, E enter, E lower, E leave, E carry, E direction, E undirection, E extend, E identify, E end
#include "instructions.h"

#if RETURN_SLOT_ON_STACK

// Returns the square of 42, as long as nothing else writes ax.
long do_steps(void);

CODE(do_steps,
     "  pushq %rbx\n"
     "  pushq %rbp\n"
     "  movl $1, %ebx\n"
     P(move) "  movq %rbx, %rax\n"
     P(add) "  addq $41, %rax\n"
     P(set) "  setne %cl\n"
     P(multiply) "  imulq %rax, %rax\n"
     P(conditional) "  cmovoq %rbx, %rdx\n"
     P(push) "  pushq $0x55\n"
     P(pop) "  popq %r9\n"
     P(enter) "  movq %rsp, %rbp\n"
     P(lower) "  subq $64, %rsp\n"
     P(leave) "  addq $64, %rsp\n"
     P(carry) "  stc\n"
     P(direction) "  std\n"
     P(undirection) "  cld\n"
     P(extend) "  cqto\n"
     P(identify) "  xchgq %rax, %r9\n"
     P(end) "  popq %rbp\n"
     "  popq %rbx\n"
     "  ret\n");

int main(void) { return do_steps() == 0x55 ? 0 : 1; }

#else
NOT_ON_THIS_ARCHITECTURE()
#endif
