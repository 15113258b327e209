// Memory for the stacks of coroutines and handlers: some below every other stack, some above the
// frames of the main stack.
#include <mutex>

#include "actor.h"

namespace {

enum { lowCount = 12, highMost = 12 };

alignas(64) char low[lowCount][stackSize];
char *high;
int highCount;
bool lowTaken[lowCount], highTaken[highMost];
std::mutex guard;

}  // namespace

void giveHighMemory(char *memory, size_t size) {
  high = memory;
  highCount = int(size / stackSize);
  if (highCount > highMost) highCount = highMost;
}

char *takeStack(bool above) {
  std::lock_guard<std::mutex> lock(guard);
  bool *taken = above ? highTaken : lowTaken;
  int count = above ? highCount : lowCount;
  for (int index = 0; index < count; index += 1) {
    if (taken[index]) continue;
    taken[index] = true;
    return above ? high + size_t(index) * stackSize : low[index];
  }
  return nullptr;
}

void giveStack(char *memory) {
  std::lock_guard<std::mutex> lock(guard);
  for (int index = 0; index < lowCount; index += 1) {
    if (memory == low[index]) lowTaken[index] = false;
  }
  for (int index = 0; index < highCount; index += 1) {
    if (memory == high + size_t(index) * stackSize) highTaken[index] = false;
  }
}
