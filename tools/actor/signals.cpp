// Signals on the normal and on alternate stacks, raised and by a timer.
#include <csignal>
#include <sys/time.h>

#include "actor.h"

namespace {

void handle(int) {
  Stack &stack = *performer->running;
  bool before = stack.onAlternate;
  stack.onAlternate = true;
  int tries = stack.tries;
  // No exception may leave a handler.
  stack.tries = 0;
  callAny(deepest - 6);
  performer->running->tries = tries;
  performer->running->onAlternate = before;
}

void handleTimer(int) { leaf(1); }

}  // namespace

void installHandlers() {
  struct sigaction action = {};
  action.sa_handler = handle;
  action.sa_flags = SA_ONSTACK | SA_NODEFER;
  sigaction(SIGUSR1, &action, nullptr);
  action.sa_handler = handleTimer;
  action.sa_flags = SA_RESTART;
  sigaction(SIGVTALRM, &action, nullptr);
}

void useAlternateStack(bool above) {
  stack_t alternate = {};
  alternate.ss_sp = takeStack(above);
  alternate.ss_size = stackSize;
  if (alternate.ss_sp) sigaltstack(&alternate, nullptr);
}

// A handler starts at the alternate stack's top when the stack that it interrupts is another, so
// there must be none on it already.
void raiseSignal() {
  if (!performer->alternateIsBusy()) raise(SIGUSR1);
}

void startTimer() {
  struct itimerval interval = {};
  interval.it_interval.tv_usec = 700;
  interval.it_value.tv_usec = 300;
  setitimer(ITIMER_VIRTUAL, &interval, nullptr);
}

// Before another program begins, in which nobody would handle the signal yet.
void stopTimer() {
  struct itimerval never = {};
  setitimer(ITIMER_VIRTUAL, &never, nullptr);
}
