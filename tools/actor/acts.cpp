// What happens inside a probed function: a few acts, chosen among those that the seed allows.
#include <alloca.h>
#include <pthread.h>
#include <unistd.h>

#include "actor.h"

namespace {

enum class Act {
  call, recursion, deepRecursion, tailChain, longTailChain, leaf, setJump, jump, resume, yield,
  signal, threads, threadExit, cancel, fork, vfork, spawn, exec, tryBlock, throwOut, overwrite, forge
};

struct Choice {
  Act act;
  unsigned weight;
};

// Acts and how often they are chosen; 0 for what the seed does not have.
Act choose() {
  const Features &has = performer->features;
  const Choice choices[] = {
      {Act::call, 300}, {Act::recursion, 40}, {Act::deepRecursion, 3}, {Act::tailChain, 60},
      {Act::longTailChain, 3}, {Act::leaf, 80},
      {Act::setJump, has.jumps ? 90u : 0}, {Act::jump, has.jumps ? 60u : 0},
      {Act::resume, has.coroutines ? 60u : 0}, {Act::yield, has.coroutines ? 60u : 0},
      {Act::signal, has.signals ? 40u : 0}, {Act::threads, has.threads ? 12u : 0},
      {Act::threadExit, has.threadExit ? 6u : 0}, {Act::cancel, has.cancel ? 6u : 0},
      {Act::fork, has.fork ? 10u : 0}, {Act::vfork, has.vfork ? 10u : 0},
      {Act::spawn, has.spawn ? 6u : 0}, {Act::exec, has.exec ? 1u : 0},
      {Act::tryBlock, has.exceptions ? 40u : 0}, {Act::throwOut, has.exceptions ? 20u : 0},
      {Act::overwrite, has.overwrite ? 20u : 0}, {Act::forge, has.forge ? 1u : 0},
  };
  unsigned total = 0;
  for (const Choice &choice : choices) total += choice.weight;
  unsigned place = performer->random.below(total);
  for (const Choice &choice : choices) {
    if (place < choice.weight) return choice.act;
    place -= choice.weight;
  }
  return Act::call;
}

PLAIN void actSetJump(int depth) {
  Stack *stack = performer->running;
  JumpPoint point;
  point.older = stack->newest;
  point.tries = stack->tries;
  point.onAlternate = stack->onAlternate;
  // Changes between the two returns of setjmp, so it must live in memory.
  volatile int times = 0;
  if (sigsetjmp(point.environment, 1) == 0) stack->newest = &point;
  times = times + 1;
  if (times < 4) callAny(depth + 1);
  performer->running->newest = point.older;
}

PLAIN void actTry(int depth) {
  Stack *stack = performer->running;
  int before = stack->tries;
  JumpPoint *newest = stack->newest;
  stack->tries = before + 1;
  try {
    callAny(depth + 1);
  } catch (const Thrown &) {
    stack->newest = newest;
  }
  stack->tries = before;
}

void actThrow() {
  if (performer->running->tries > 0) throw Thrown();
}

void actThreadExit() {
  bool mayLeave = performer->isThread && performer->running == &performer->base;
  if (mayLeave && !performer->base.onAlternate) pthread_exit(nullptr);
}

void perform(Act act, int depth) {
  Random &random = performer->random;
  switch (act) {
    case Act::call: callAny(depth + 1); break;
    case Act::recursion: recurse(int(random.below(8)), depth + 1); break;
    case Act::deepRecursion: recurse(55 + int(random.below(25)), deepest); break;
    case Act::tailChain: tailChain(int(random.below(6)), depth + 1); break;
    case Act::longTailChain: tailChain(55 + int(random.below(25)), deepest); break;
    case Act::leaf: leaf(depth); break;
    case Act::setJump: actSetJump(depth); break;
    case Act::jump: jumpBack(); break;
    case Act::resume: resumeAny(depth + 1); break;
    case Act::yield: yieldBack(); break;
    case Act::signal: raiseSignal(); break;
    case Act::threads: actThreads(depth + 1); break;
    case Act::threadExit: actThreadExit(); break;
    case Act::cancel: actCancel(depth + 1); break;
    case Act::fork: actFork(depth + 1); break;
    case Act::vfork: actVfork(); break;
    case Act::spawn: actSpawn(); break;
    case Act::exec: actExec(); break;
    case Act::tryBlock: actTry(depth); break;
    case Act::throwOut: actThrow(); break;
    case Act::overwrite: overwriteOwnSlot(depth); break;
    case Act::forge: returnThroughTrampoline(depth); break;
  }
}

// Performs one act in a frame of a size that nobody knows beforehand.
PLAIN void performInFrame(Act act, int depth, size_t size) {
  volatile char *room = static_cast<volatile char *>(alloca(size));
  room[0] = 1;
  perform(act, depth);
  room[size - 1] = 1;
}

}  // namespace

int body(int depth) {
  if (depth >= deepest) {
    if (performer->waits) {
      *performer->waits = true;
      for (;;) pause();
    }
    return depth;
  }
  unsigned count = performer->random.below(4);
  for (unsigned index = 0; index < count && performer->budget > 0; index += 1) {
    size_t size = 16 + performer->random.below(performer->random.chance(20) ? 600 : 40);
    performInFrame(choose(), depth, size);
  }
  return depth;
}
