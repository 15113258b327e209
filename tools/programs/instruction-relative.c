// Instructions whose memory is relative to the instruction pointer: their copies reach it through
// si, or di where the instruction uses si. The scratch register has its own value afterwards.
//
// Probes: uprobe:PROGRAM:p_load uprobe:PROGRAM:p_store uprobe:PROGRAM:p_store_si uprobe:PROGRAM:p_load_si uprobe:PROGRAM:p_load_di uprobe:PROGRAM:p_extended uprobe:PROGRAM:p_number uprobe:PROGRAM:p_address uprobe:PROGRAM:p_exchange uprobe:PROGRAM:p_compare uprobe:PROGRAM:p_multiply uprobe:PROGRAM:p_vector uprobe:PROGRAM:p_end
// Expect-unprobed: exit 0
// Expect-probed-6.18: exit 0
// Observed-6.18: E load, E store, E store_si, E load_si, E load_di, E extended, E number, E address, E exchange, E compare, E multiply, E vector, E end
#include "instructions.h"

#if RETURN_SLOT_ON_STACK

// Works on the numbers below through addresses relative to the instruction pointer.
long do_relative(void);

CODE(do_relative,
     "  pushq %rbx\n"
     "  movl $3, %esi\n"
     "  movl $5, %edi\n"
     "  movl $7, %ebx\n"
     P(load) "  movq number(%rip), %rax\n"
     P(store) "  movq %rax, copy(%rip)\n"
     P(store_si) "  addq %rsi, copy(%rip)\n"
     P(load_si) "  movq copy(%rip), %rsi\n"
     P(load_di) "  xorq copy(%rip), %rdi\n"
     P(extended) "  addq number(%rip), %r14\n"
     P(number) "  addl $9, copy(%rip)\n"
     P(address) "  leaq number(%rip), %rdx\n"
     P(exchange) "  xchgq %rax, copy(%rip)\n"
     P(compare) "  cmpb $1, copy(%rip)\n"
     P(multiply) "  mulq number(%rip)\n"
     P(vector) "  movups number(%rip), %xmm0\n"
     P(end) "  popq %rbx\n"
     "  ret\n"
     ".data\n.balign 16\nnumber: .quad 40, 0\ncopy: .quad 0, 0\n.text\n");

// (40 + 3 + 9) times 40.
int main(void) { return do_relative() == 52 * 40 ? 0 : 1; }

#else
NOT_ON_THIS_ARCHITECTURE()
#endif
