#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "CPerfEvent.h"

static ssize_t read_retrying(int fd, void *buffer, size_t length) {
  ssize_t count;
  do count = read(fd, buffer, length);
  while (count < 0 && errno == EINTR);
  return count;
}

static ssize_t write_retrying(int fd, const void *buffer, size_t length) {
  ssize_t count;
  do count = write(fd, buffer, length);
  while (count < 0 && errno == EINTR);
  return count;
}

static void reap(pid_t pid) {
  while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
}

// Forks with two pipes between us and the child, and with all signals blocked in the child, so that
// no handler of ours ever runs in it.
// Returns the child's number in the parent, 0 in the child.
static pid_t fork_with_pipes(struct cperf_child *child, int *go, int *report) {
  int go_ends[2], report_ends[2];
  if (pipe2(go_ends, O_CLOEXEC) != 0) return -errno;
  if (pipe2(report_ends, O_CLOEXEC) != 0) {
    int number = errno;
    close(go_ends[0]);
    close(go_ends[1]);
    return -number;
  }
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  pid_t pid = fork();
  int number = errno;
  if (pid == 0) {
    close(go_ends[1]);
    close(report_ends[0]);
    *go = go_ends[0];
    *report = report_ends[1];
    return 0;
  }
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  close(go_ends[0]);
  close(report_ends[1]);
  if (pid < 0) {
    close(go_ends[1]);
    close(report_ends[0]);
    return -number;
  }
  child->pid = pid;
  child->go = go_ends[1];
  child->report = report_ends[0];
  return pid;
}

int cperf_spawn_stopped(char *const argv[], uint64_t blocked, struct cperf_child *child) {
  int go, report;
  pid_t pid = fork_with_pipes(child, &go, &report);
  if (pid != 0) return pid < 0 ? pid : 0;
  // In the child: only async-signal-safe calls from here on.
  char byte;
  if (read_retrying(go, &byte, 1) != 1) _exit(125);
  sigset_t mask;
  sigemptyset(&mask);
  for (int number = 1; number <= 64; number++)
    if (blocked >> (number - 1) & 1) sigaddset(&mask, number);
  sigprocmask(SIG_SETMASK, &mask, NULL);
  execvp(argv[0], argv);
  int number = errno;
  write_retrying(report, &number, sizeof number);
  _exit(number == ENOENT ? 127 : 126);
}

int cperf_release(struct cperf_child *child) {
  char byte = 0;
  int number = 0;
  // A child that died meanwhile leaves a closed pipe: its status then tells what happened.
  write_retrying(child->go, &byte, 1);
  ssize_t count = read_retrying(child->report, &number, sizeof number);
  close(child->go);
  close(child->report);
  child->go = child->report = -1;
  if (count != sizeof number) return 0;
  reap(child->pid);
  child->pid = 0;
  return -number;
}

void cperf_abandon(struct cperf_child *child) {
  if (child->pid <= 0) return;
  close(child->go);
  close(child->report);
  child->go = child->report = -1;
  kill(child->pid, SIGKILL);
  reap(child->pid);
  child->pid = 0;
}

static void *reap_main(void *pid) {
  reap((pid_t)(intptr_t)pid);
  return NULL;
}

void cperf_reap_later(pid_t pid) {
  pthread_t thread;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  // Without a thread the child stays a zombie until we end: harmless.
  pthread_create(&thread, &attributes, reap_main, (void *)(intptr_t)pid);
  pthread_attr_destroy(&attributes);
}

#if defined(__x86_64__)
#define RETURN_RETURN_ADDRESS " mov (%rsp), %rax\n ret\n"
#define NOP5 " .byte 0x0f, 0x1f, 0x44, 0x00, 0x00\n"
#define NOP10 " .byte 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00\n"
#else
#define RETURN_RETURN_ADDRESS " mov x0, x30\n ret\n"
#define NOP5 " nop\n"
#define NOP10 " nop\n"
#endif
__asm__(".pushsection .text\n"
        ".balign 64\n"
        "cperf_site_nop5:\n" NOP5 RETURN_RETURN_ADDRESS
        ".balign 64\n"
        "cperf_site_nop10:\n" NOP10 RETURN_RETURN_ADDRESS
        ".popsection\n");
uintptr_t cperf_site_nop5(void) __attribute__((visibility("hidden")));
uintptr_t cperf_site_nop10(void) __attribute__((visibility("hidden")));

uintptr_t cperf_site_nop5_address(void) {
  return (uintptr_t)cperf_site_nop5;
}

uintptr_t cperf_site_nop10_address(void) {
  return (uintptr_t)cperf_site_nop10;
}

// A request to the probed child: with calls to make, or 0 to read at the address.
struct request {
  uintptr_t address;
  int calls;
};

int cperf_spawn_probed(struct cperf_child *child) {
  int go, report;
  pid_t pid = fork_with_pipes(child, &go, &report);
  if (pid != 0) return pid < 0 ? pid : 0;
  struct request request;
  while (read_retrying(go, &request, sizeof request) == sizeof request) {
    if (request.calls == 0) {
      write_retrying(report, (const void *)request.address, 16);
      continue;
    }
    uintptr_t (*site)(void) = (uintptr_t (*)(void))request.address;
    uintptr_t address = 0;
    for (int call = 0; call < request.calls; call++) address = site();
    write_retrying(report, &address, sizeof address);
  }
  _exit(0);
}

static int ask(struct cperf_child *child, struct request request, void *answer, size_t length) {
  if (write_retrying(child->go, &request, sizeof request) != sizeof request) return -EPIPE;
  return read_retrying(child->report, answer, length) == (ssize_t)length ? 0 : -ECHILD;
}

int cperf_probed_call(struct cperf_child *child, uintptr_t site, int calls, uintptr_t *address) {
  return ask(child, (struct request){site, calls}, address, sizeof *address);
}

int cperf_probed_peek(struct cperf_child *child, uintptr_t address, uint8_t bytes[16]) {
  return ask(child, (struct request){address, 0}, bytes, 16);
}
