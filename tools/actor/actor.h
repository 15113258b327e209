// The actor: a program that acts out a seed, for `tools/torture`. It calls its probed functions in
// every way a program can enter and leave a function, in an order that the seed decides, and does not
// care what the kernel makes of it: some of it cannot end well while returns are probed.
//
// Needs C++17 and a Linux of either architecture; what writes return slots by hand is for x86-64.
#ifndef ACTOR_H
#define ACTOR_H

#include <atomic>
#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <ucontext.h>

#include "../programs/situation.h"

// A sequence of numbers that a seed decides (splitmix64).
struct Random {
  uint64_t state;

  uint64_t next() {
    uint64_t z = (state += 0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }
  // A number below `limit`, which is not 0.
  unsigned below(unsigned limit) { return unsigned(next() % limit); }
  bool chance(unsigned percent) { return below(100) < percent; }
};

// A live setjmp buffer: it lies in the frame that made it, and is in the list of that frame's stack.
struct JumpPoint {
  sigjmp_buf environment;
  JumpPoint *older;
  int tries;
  bool onAlternate;
};

// A stack and what is live on it.
struct Stack {
  char *memory = nullptr;  // null for the stack a thread began on
  ucontext_t context = {};  // where it stopped, while suspended
  Stack *resumer = nullptr;  // who runs next when it stops
  JumpPoint *newest = nullptr;
  int tries = 0;  // enclosing try blocks
  bool onAlternate = false;  // whether a handler of it runs on the alternate stack
  bool suspended = false;
};

// What the seed lets happen.
struct Features {
  bool jumps, coroutines, coroutinesAbove, signals, alternate, alternateAbove, timer;
  bool threads, threadExit, cancel, fork, vfork, exec, spawn, exceptions, overwrite, forge;
  explicit Features(Random &random);
};

// One thread's part in the play.
struct Performer {
  enum { coroutineCount = 4 };

  Random random;
  Features features;
  int budget;  // calls left
  int forksLeft = 2, threadsLeft = 4, generation;
  bool isThread = false, isChild = false;
  std::atomic<bool> *waits = nullptr;  // set: the thread waits at the deepest place to be cancelled
  Stack base;
  Stack coroutines[coroutineCount];
  Stack *running = &base;

  Performer(uint64_t seed, const Features &features, int budget, int generation)
      : random{seed}, features(features), budget(budget), generation(generation) {}

  bool alternateIsBusy() const;
};

// The performer of the running thread.
extern thread_local Performer *performer;

// Ends the process when it goes on too long; a forked child has to ask anew.
void limitTime();

// The way to start this program again.
extern const char *programPath;

// What an exception carries.
struct Thrown {};

enum { deepest = 40, stackSize = 128 * 1024 };

// Memory for a stack, or null when none is left. Above: higher than the main stack's frames.
char *takeStack(bool above);
void giveStack(char *memory);
void giveHighMemory(char *memory, size_t size);

// functions.cpp: calls a probed function that the performer's numbers choose.
int callAny(int depth);
int recurse(int times, int depth);
int tailChain(int length, int depth);
int leaf(int n);
int overwriteOwnSlot(int n);
int returnThroughTrampoline(int n);

// acts.cpp: what happens inside a probed function.
int body(int depth);

// coroutines.cpp
void resumeAny(int depth);
void yieldBack();
void jumpBack();

// processes.cpp
void actThreads(int depth);
void actCancel(int depth);
void actFork(int depth);
void actVfork();
void actSpawn();
void actExec();

// signals.cpp
void installHandlers();
void useAlternateStack(bool above);
void raiseSignal();
void startTimer();
void stopTimer();

#endif
