// The situation of tools/programs/tail-chain.c without a C library, so that a perf.data of it is small.
#define PROBED __attribute__((noinline, noipa))
PROBED int p_t3(int n) { return n + 1; }
PROBED int p_t2(int n) { return p_t3(n + 1); }
PROBED int p_t1(int n) { return p_t2(n + 1); }
PROBED int p_caller(int n) {
  int result = p_t1(n);
  __asm__ volatile("" : "+r"(result) : : "memory");
  return result;
}
__attribute__((force_align_arg_pointer, noreturn)) void _start(void) {
  int status = p_caller(1) == 4 ? 0 : 1;
  __asm__ volatile("syscall" : : "a"(231), "D"(status) : "rcx", "r11", "memory");
  __builtin_unreachable();
}
