// actor SEED [GENERATION]: acts out a seed. Everything it does follows from the seed, as far as the
// kernel lets it. ACTOR_REST_MICROSECONDS makes it rest between acts.
#include <cstdlib>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include "actor.h"

thread_local Performer *performer;
const char *programPath;

// What kills most programs is rare, so that the others have time to happen.
Features::Features(Random &random) {
  jumps = random.chance(60);
  coroutines = random.chance(25);
  coroutinesAbove = random.chance(50);
  signals = random.chance(40);
  alternate = random.chance(60);
  alternateAbove = random.chance(20);
  timer = random.chance(25);
  threads = random.chance(35);
  threadExit = random.chance(40);
  cancel = random.chance(20);
  fork = random.chance(30);
  vfork = random.chance(25);
  exec = random.chance(15);
  spawn = random.chance(20);
  exceptions = random.chance(15);
  overwrite = random.chance(15);
  forge = random.chance(8);
}

// A program whose returns the kernel has led astray may run on for ever.
void limitTime() {
  struct rlimit seconds = {3, 3};
  setrlimit(RLIMIT_CPU, &seconds);
  struct rlimit core = {0, 0};
  setrlimit(RLIMIT_CORE, &core);
  alarm(10);
}

namespace {

// Between the acts it rests, when told to last so long that somebody can join.
void *play(void *) {
  const char *rest = getenv("ACTOR_REST_MICROSECONDS");
  while (performer->budget > 0) {
    callAny(0);
    if (rest) usleep(useconds_t(atoi(rest)));
  }
  return nullptr;
}

void *playInThread(void *argument) {
  performer = static_cast<Performer *>(argument);
  performer->isThread = true;
  return play(nullptr);
}

PLAIN int act(Performer &self, char *high, size_t size) {
  giveHighMemory(high, size);
  performer = &self;
  installHandlers();
  if (self.features.alternate) useAlternateStack(self.features.alternateAbove);
  if (self.features.timer) startTimer();
  if (self.features.threads && self.random.chance(30)) {
    pthread_t thread;
    if (pthread_create(&thread, nullptr, playInThread, &self) != 0) return 1;
    pthread_join(thread, nullptr);
    return 0;
  }
  play(nullptr);
  return 0;
}

}  // namespace

int main(int count, char **arguments) {
  if (count < 2) {
    fprintf(stderr, "usage: actor SEED [GENERATION]\n");
    return 2;
  }
  programPath = arguments[0];
  int generation = count > 2 ? atoi(arguments[2]) : 0;
  limitTime();
  Random random{strtoull(arguments[1], nullptr, 10)};
  Features features(random);
  int budget = generation > 0 ? 20 : 100 + int(random.below(900));
  Performer self(random.next(), features, budget, generation);
  alignas(64) char high[8 * stackSize];
  return act(self, high, sizeof high);
}
