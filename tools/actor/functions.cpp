// The functions that probes are put on. Each has a frame of its own size.
#include <cstring>

#include "actor.h"

#define FUNCTION(name, bytes)                                                  \
  extern "C" PROBED int name(int depth) {                                      \
    volatile char room[bytes];                                                 \
    room[0] = char(depth);                                                     \
    int result = body(depth) + room[0];                                        \
    KEEP(result);                                                              \
    return result;                                                             \
  }

FUNCTION(p_a, 1)
FUNCTION(p_b, 24)
FUNCTION(p_c, 40)
FUNCTION(p_d, 120)
FUNCTION(p_e, 8)
FUNCTION(p_f, 500)
FUNCTION(p_g, 64)
FUNCTION(p_h, 3000)

// A second name of a function: a second probe at one address.
extern "C" int p_alias(int depth) __attribute__((alias("p_b")));

extern "C" PROBED int p_leaf(int n) { return n + 1; }

// Deep recursion, through one function.
extern "C" PROBED int p_r(int times, int depth) {
  if (times == 0) return body(depth);
  int result = p_r(times - 1, depth);
  KEEP(result);
  return result + 1;
}

// Chains of tail calls of any length, by two functions in turn, into a function with a frame.
extern "C" int p_t2(int length, int depth);

extern "C" PROBED int p_t1(int length, int depth) {
  return length > 0 ? p_t2(length - 1, depth) : p_c(depth);
}

extern "C" PROBED int p_t2(int length, int depth) {
  return length > 0 ? p_t1(length - 1, depth) : p_leaf(depth);
}

#if RETURN_SLOT_ON_STACK

extern "C" int p_lost(int n);
extern "C" int call_lost(int n);
extern "C" int p_forge(long address);

// p_lost writes its true return address over its slot, so that its return is never seen. p_forge
// writes the address it is given. They are assembly, so that the slot's place is certain.
__asm__(
    ".text\n"
    ".globl call_lost\n"
    ".type call_lost, @function\n"
    "call_lost:\n"
    "  subq $8, %rsp\n"
    "  call p_lost\n"
    "after_lost:\n"
    "  addq $8, %rsp\n"
    "  ret\n"
    ".size call_lost, . - call_lost\n"
    ".globl p_lost\n"
    ".type p_lost, @function\n"
    "p_lost:\n"
    "  leaq after_lost(%rip), %rax\n"
    "  movq %rax, (%rsp)\n"
    "  leal 1(%rdi), %eax\n"
    "  ret\n"
    ".size p_lost, . - p_lost\n"
    ".globl p_forge\n"
    ".type p_forge, @function\n"
    "p_forge:\n"
    "  movq %rdi, (%rsp)\n"
    "  movl $1, %eax\n"
    "  ret\n"
    ".size p_forge, . - p_forge\n");

int overwriteOwnSlot(int n) { return call_lost(n); }

// Where the page of the trampoline is; 0 when no return was probed yet.
static uintptr_t trampoline() {
  FILE *maps = fopen("/proc/self/maps", "r");
  if (!maps) return 0;
  char line[512];
  unsigned long start = 0;
  while (fgets(line, sizeof line, maps)) {
    char name[32] = "";
    unsigned long first = 0;
    if (sscanf(line, "%lx-%*x %*s %*s %*s %*s %31s", &first, name) == 2 &&
        strcmp(name, "[uprobes]") == 0) {
      start = first;
    }
  }
  fclose(maps);
  return start;
}

int returnThroughTrampoline(int n) {
  uintptr_t address = trampoline();
  if (address == 0) return n;
  int result = p_forge(long(address));
  KEEP(result);
  return result;
}

#else

int overwriteOwnSlot(int n) { return leaf(n); }
int returnThroughTrampoline(int n) { return leaf(n); }

#endif

int leaf(int n) { return p_leaf(n); }
int recurse(int times, int depth) { return p_r(times, depth); }
int tailChain(int length, int depth) { return p_t1(length, depth); }

int callAny(int depth) {
  static int (*const functions[])(int) = {p_a, p_b, p_c, p_d, p_e, p_f, p_g, p_h, p_alias};
  if (--performer->budget < 0) return 0;
  int result = functions[performer->random.below(sizeof functions / sizeof *functions)](depth);
  KEEP(result);
  return result;
}
