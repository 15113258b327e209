// Threads and processes: all ways to make one, to leave one, and to become another program.
#include <pthread.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <atomic>

#include "actor.h"

extern char **environ;

namespace {

struct Part {
  Performer performer;
  std::atomic<bool> waits{false};
  bool endsInWait = false;
  int depth;

  Part(uint64_t seed, int budget, int depth)
      : performer(seed, ::performer->features, budget, ::performer->generation), depth(depth) {
    performer.isThread = true;
    performer.isChild = ::performer->isChild;
    performer.forksLeft = ::performer->forksLeft > 0 ? 1 : 0;
    performer.threadsLeft = 0;
  }
};

void *perform(void *argument) {
  Part &part = *static_cast<Part *>(argument);
  performer = &part.performer;
  while (performer->budget > 0) callAny(part.depth);
  // Nobody cancels the copy of the thread in a forked child.
  if (part.endsInWait && !performer->isChild) {
    performer->waits = &part.waits;
    recurse(3, deepest);
  }
  return nullptr;
}

// What a short-lived child does.
void actBriefly() {
  recurse(int(performer->random.below(4)), deepest);
  tailChain(int(performer->random.below(4)), deepest);
}

// The arguments of this program for a generation that ends soon.
struct Arguments {
  char seed[24], generation[16];
  char *list[4];

  explicit Arguments(uint64_t number) {
    snprintf(seed, sizeof seed, "%llu", static_cast<unsigned long long>(number));
    snprintf(generation, sizeof generation, "%d", performer->generation + 1);
    list[0] = const_cast<char *>(programPath);
    list[1] = seed;
    list[2] = generation;
    list[3] = nullptr;
  }
};

void waitFor(pid_t child) {
  int status;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return;
  }
}

}  // namespace

void actThreads(int depth) {
  unsigned count = 1 + performer->random.below(3);
  Part *parts[3];
  pthread_t threads[3];
  unsigned started = 0;
  while (started < count && performer->threadsLeft > 0) {
    performer->threadsLeft -= 1;
    parts[started] =
        new Part(performer->random.next(), 5 + int(performer->random.below(60)), depth);
    if (pthread_create(&threads[started], nullptr, perform, parts[started]) != 0) {
      delete parts[started];
      break;
    }
    started += 1;
  }
  // Whoever leaves by a jump here leaves the threads alone, which is allowed; they are waited for
  // only otherwise.
  leaf(int(started));
  for (unsigned index = 0; index < started; index += 1) {
    pthread_join(threads[index], nullptr);
    delete parts[index];
  }
}

void actCancel(int depth) {
  if (performer->threadsLeft <= 0) return;
  performer->threadsLeft -= 1;
  Part *part = new Part(performer->random.next(), 4, depth);
  part->endsInWait = true;
  pthread_t thread;
  if (pthread_create(&thread, nullptr, perform, part) == 0) {
    // Until it waits, or for a while: it may have ended in its own way.
    for (int turn = 0; turn < 200 && !part->waits; turn += 1) usleep(500);
    pthread_cancel(thread);
    pthread_join(thread, nullptr);
  }
  delete part;
}

void actFork(int depth) {
  if (performer->forksLeft <= 0) return;
  performer->forksLeft -= 1;
  bool together = performer->random.chance(50);
  bool returns = performer->random.chance(50);
  pid_t child = fork();
  if (child < 0) return;
  if (child == 0) {
    performer->isChild = true;
    limitTime();
    performer->forksLeft = 0;
    performer->threadsLeft = 0;
    performer->budget = 8;
    performer->random.state ^= 0x5555;
    actBriefly();
    if (!returns) _exit(0);
    callAny(depth);
    return;
  }
  if (together) callAny(deepest - 2);
  waitFor(child);
}

void actVfork() {
  if (performer->forksLeft <= 0) return;
  performer->forksLeft -= 1;
  bool executes = performer->features.exec && performer->random.chance(50);
  Arguments arguments(performer->random.next());
  pid_t child = vfork();
  if (child == 0) {
    actBriefly();
    if (executes) execv(programPath, arguments.list);
    _exit(0);
  }
  if (child > 0) waitFor(child);
}

void actSpawn() {
  if (performer->forksLeft <= 0 || performer->generation > 0) return;
  performer->forksLeft -= 1;
  Arguments arguments(performer->random.next());
  pid_t child;
  if (posix_spawn(&child, programPath, nullptr, nullptr, arguments.list, environ) == 0) {
    waitFor(child);
  }
}

void actExec() {
  if (performer->generation > 0 || performer->isChild) return;
  Arguments arguments(performer->random.next());
  stopTimer();
  execv(programPath, arguments.list);
}
