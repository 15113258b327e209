#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "CPerfEvent.h"

static const int watched[] = {SIGINT, SIGTERM, SIGHUP};
enum { watched_count = sizeof watched / sizeof watched[0] };

static struct sigaction old_actions[watched_count];
static struct sigaction old_pipe_action;
static int read_end = -1;
static volatile int write_end = -1;

static void handle(int number, siginfo_t *info, void *context) {
  (void)context;
  int saved = errno;
  struct cperf_signal signal = {number, info->si_code};
  // The pipe does not block: with thousands of signals unread, one more says nothing new.
  if (write(write_end, &signal, sizeof signal) < 0) {}
  errno = saved;
}

int cperf_signals_watch(void) {
  if (read_end >= 0) return -EBUSY;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return -errno;
  read_end = ends[0];
  write_end = ends[1];
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = handle;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (int index = 0; index < watched_count; index++) {
    sigaction(watched[index], NULL, &old_actions[index]);
    // Whoever started us with a signal ignored (nohup, a background job) wants it so.
    if (old_actions[index].sa_handler != SIG_IGN) sigaction(watched[index], &action, NULL);
  }
  struct sigaction ignore;
  memset(&ignore, 0, sizeof ignore);
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, &old_pipe_action);
  return read_end;
}

void cperf_signals_restore(void) {
  if (read_end < 0) return;
  for (int index = 0; index < watched_count; index++)
    sigaction(watched[index], &old_actions[index], NULL);
  sigaction(SIGPIPE, &old_pipe_action, NULL);
  close(read_end);
  close(write_end);
  read_end = write_end = -1;
}

int cperf_signals_next(int fd, struct cperf_signal *signal) {
  return read(fd, signal, sizeof *signal) == sizeof *signal ? 1 : 0;
}
