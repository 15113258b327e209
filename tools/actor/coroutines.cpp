// Coroutines by swapcontext, resumed and left in any order, and jumps to any live buffer.
#include "actor.h"

bool Performer::alternateIsBusy() const {
  if (base.onAlternate) return true;
  for (const Stack &stack : coroutines) {
    if (stack.onAlternate) return true;
  }
  return false;
}

namespace {

// Forgets a coroutine that ended, or whose frames a jump has left.
void forget(Stack &stack) {
  if (stack.memory) giveStack(stack.memory);
  stack.memory = nullptr;
  stack.newest = nullptr;
  stack.tries = 0;
  stack.onAlternate = false;
  stack.suspended = false;
}

// Runs the next stack and comes back when somebody runs `from` again.
void swap(Stack &from, Stack &to) {
  performer->running = &to;
  from.suspended = true;
  to.suspended = false;
  swapcontext(&from.context, &to.context);
}

void coroutineMain(unsigned depth) {
  while (performer->random.chance(80)) callAny(int(depth));
  Stack &self = *performer->running;
  Stack &next = *self.resumer;
  performer->running = &next;
  next.suspended = false;
  forget(self);
  setcontext(&next.context);
}

bool start(Stack &stack, int depth) {
  bool above = performer->features.coroutinesAbove && performer->random.chance(50);
  stack.memory = takeStack(above);
  if (!stack.memory) return false;
  getcontext(&stack.context);
  stack.context.uc_stack.ss_sp = stack.memory;
  stack.context.uc_stack.ss_size = stackSize;
  stack.context.uc_link = nullptr;
  makecontext(&stack.context, reinterpret_cast<void (*)()>(coroutineMain), 1, unsigned(depth));
  return true;
}

// The stacks that wait for the running one, from it on: `count` of them.
int activeStacks(Stack *active[]) {
  int count = 0;
  for (Stack *stack = performer->running; stack; stack = stack->resumer) {
    active[count++] = stack;
    if (count > Performer::coroutineCount) break;
  }
  return count;
}

}  // namespace

void resumeAny(int depth) {
  Stack *active[Performer::coroutineCount + 1];
  int count = activeStacks(active);
  Stack &chosen = performer->coroutines[performer->random.below(Performer::coroutineCount)];
  for (int index = 0; index < count; index += 1) {
    if (active[index] == &chosen) return;
  }
  if (!chosen.memory && !start(chosen, depth)) return;
  chosen.resumer = performer->running;
  swap(*performer->running, chosen);
}

void yieldBack() {
  Stack &self = *performer->running;
  if (!self.resumer) return;
  Stack &next = *self.resumer;
  self.resumer = nullptr;
  swap(self, next);
}

// Jumps to a live buffer: of the running stack, or of one that waits for it, whose coroutines in
// between are left for good.
void jumpBack() {
  Stack *active[Performer::coroutineCount + 1];
  int count = activeStacks(active);
  JumpPoint *points[64];
  int owners[64];
  int found = 0;
  for (int index = 0; index < count; index += 1) {
    for (JumpPoint *point = active[index]->newest; point && found < 64; point = point->older) {
      owners[found] = index;
      points[found++] = point;
    }
  }
  if (found == 0) return;
  int choice = int(performer->random.below(unsigned(found)));
  for (int index = 0; index < owners[choice]; index += 1) {
    active[index]->resumer = nullptr;
    forget(*active[index]);
  }
  Stack &target = *active[owners[choice]];
  target.newest = points[choice];
  target.tries = points[choice]->tries;
  target.onAlternate = points[choice]->onAlternate;
  target.suspended = false;
  performer->running = &target;
  siglongjmp(points[choice]->environment, 1);
}
