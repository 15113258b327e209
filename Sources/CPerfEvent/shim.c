#define _GNU_SOURCE
#include "CPerfEvent.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

// The same number on every architecture; older C libraries lack the names.
#ifndef SYS_fsopen
#define SYS_fsopen 430
#define SYS_fsconfig 431
#define SYS_fsmount 432
#endif
#define FSOPEN_FLAG_CLOEXEC 1
#define FSCONFIG_COMMAND_CREATE 6
#define FSMOUNT_FLAG_CLOEXEC 1

static int result(long value) {
  return value < 0 ? -errno : (int)value;
}

int cperf_open(const struct perf_event_attr *attr, pid_t pid, int cpu) {
  return result(syscall(SYS_perf_event_open, attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC));
}

int cperf_disable(int fd) {
  return result(ioctl(fd, PERF_EVENT_IOC_DISABLE, 0));
}

int cperf_set_output(int fd, int owner) {
  return result(ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, owner));
}

int cperf_set_bpf(int fd, int program) {
  return result(ioctl(fd, PERF_EVENT_IOC_SET_BPF, program));
}

int cperf_id(int fd, uint64_t *id) {
  return result(ioctl(fd, PERF_EVENT_IOC_ID, id));
}

int cperf_read_counter(int fd, uint64_t *value, uint64_t *lost) {
  uint64_t words[2] = {0, 0};
  ssize_t count = read(fd, words, sizeof words);
  if (count < 0) return -errno;
  *value = words[0];
  *lost = words[1];
  return 0;
}

int cperf_tracefs_mount(void) {
  int context = result(syscall(SYS_fsopen, "tracefs", FSOPEN_FLAG_CLOEXEC));
  if (context < 0) return context;
  int mount = result(syscall(SYS_fsconfig, context, FSCONFIG_COMMAND_CREATE, NULL, NULL, 0));
  if (mount == 0) mount = result(syscall(SYS_fsmount, context, FSMOUNT_FLAG_CLOEXEC, 0));
  close(context);
  return mount;
}

int cperf_openat(int directory, const char *path, int flags) {
  return result(openat(directory, path, flags | O_CLOEXEC));
}

int cperf_eventfd(void) {
  return result(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
}

void cperf_eventfd_signal(int fd) {
  eventfd_write(fd, 1);
}

void cperf_eventfd_clear(int fd) {
  eventfd_t count;
  eventfd_read(fd, &count);
}

struct thread {
  pthread_t id;
  void (*body)(void *);
  void *context;
};

static void *thread_main(void *argument) {
  struct thread *thread = argument;
  thread->body(thread->context);
  return NULL;
}

void *cperf_thread_start(void (*body)(void *), void *context) {
  struct thread *thread = malloc(sizeof *thread);
  if (thread == NULL) return NULL;
  thread->body = body;
  thread->context = context;
  if (pthread_create(&thread->id, NULL, thread_main, thread) != 0) {
    free(thread);
    return NULL;
  }
  return thread;
}

void cperf_thread_join(void *argument) {
  struct thread *thread = argument;
  pthread_join(thread->id, NULL);
  free(thread);
}

// On Linux a priority set for a thread's own number is that thread's alone.
void cperf_thread_nice(int value) {
  setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), value);
}

int cperf_thread_favour(void) {
  int old = getpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid));
  cperf_thread_nice(-20);
  return old;
}

void cperf_thread_first(void) {
  struct sched_param parameters = {.sched_priority = 1};
  // 0 is the calling thread. Some control groups have no share of real time to give.
  if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &parameters) != 0)
    cperf_thread_nice(-20);
}

void cperf_keep_buffers(void) {
  mallopt(M_MMAP_THRESHOLD, 4 << 20);
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
}
