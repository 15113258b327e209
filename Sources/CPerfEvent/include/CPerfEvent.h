// The C shim: perf_event_open and its rings, and the calls that Swift cannot make itself (variadic
// ones, those between fork and exec, signal handlers).
//
// Functions that can fail return a negative errno. Descriptors are always made close-on-exec.
#ifndef CPERFEVENT_H
#define CPERFEVENT_H

#include "CDemangle.h"
#include <linux/perf_event.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// MARK: perf events

// perf_event_open(2); `cpu` and `pid` as there. Returns a descriptor.
int cperf_open(const struct perf_event_attr *attr, pid_t pid, int cpu);
// PERF_EVENT_IOC_DISABLE, which reaches the inherited children as well.
int cperf_disable(int fd);
// PERF_EVENT_IOC_SET_OUTPUT: `fd` writes into the ring of `owner` from now on.
int cperf_set_output(int fd, int owner);
// PERF_EVENT_IOC_ID.
int cperf_id(int fd, uint64_t *id);
// PERF_EVENT_IOC_SET_BPF: the loaded program runs whenever the event's probe is hit.
int cperf_set_bpf(int fd, int program);
// read(2) of a counter with read_format 0 or PERF_FORMAT_LOST: value, then lost records.
int cperf_read_counter(int fd, uint64_t *value, uint64_t *lost);

// MARK: rings

// data_head, loaded with acquire: the records before it are whole.
static inline uint64_t cperf_ring_head_acquire(const struct perf_event_mmap_page *page) {
  return __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE);
}

// data_tail, stored with release: the records before it have been copied out.
static inline void cperf_ring_tail_release(struct perf_event_mmap_page *page, uint64_t tail) {
  __atomic_store_n(&page->data_tail, tail, __ATOMIC_RELEASE);
}

// MARK: files

// A detached tracefs mount of our own, seen by nobody else and gone with the descriptor.
int cperf_tracefs_mount(void);
// openat(2) with O_CLOEXEC added.
int cperf_openat(int directory, const char *path, int flags);
// A non-blocking eventfd(2), and how it is made readable and unreadable.
int cperf_eventfd(void);
void cperf_eventfd_signal(int fd);
void cperf_eventfd_clear(int fd);

// MARK: the launched command

// A child that waits before its exec.
struct cperf_child {
  pid_t pid;
  // Writing a byte lets it exec; closing makes it exit.
  int go;
  // Gives an errno when the exec fails, and end of file when it succeeds.
  int report;
};

// Forks a child that waits and then runs execvp(argv[0], argv) with the given signals blocked (bit
// n - 1 for signal n).
int cperf_spawn_stopped(char *const argv[], uint64_t blocked, struct cperf_child *child);
// Lets the child exec; returns 0 once it has, or the negative errno of the exec.
int cperf_release(struct cperf_child *child);
// Ends a child that was never released (or a probed one), and reaps it.
void cperf_abandon(struct cperf_child *child);

// Reaps a child whenever it ends, on a thread of its own, so that it is no zombie while we live.
void cperf_reap_later(pid_t pid);

// MARK: signals

// What the handler writes into the pipe for each signal.
struct cperf_signal {
  int32_t number;
  // si_code: above 0 when the kernel (the terminal) sent it, else another process did.
  int32_t code;
};

// From now on SIGINT, SIGTERM and SIGHUP, unless they are ignored, arrive as `struct cperf_signal`
// on the returned descriptor, and SIGPIPE is ignored. One watcher per process.
int cperf_signals_watch(void);
// Puts the dispositions back as they were, and closes the descriptor.
void cperf_signals_restore(void);
// Takes one signal from the descriptor: 1, or 0 when there is none.
int cperf_signals_next(int fd, struct cperf_signal *signal);

// MARK: threads

// Starts a thread that runs `body(context)`; returns a handle for cperf_thread_join, or NULL.
void *cperf_thread_start(void (*body)(void *), void *context);
void cperf_thread_join(void *thread);
// Puts the calling thread before all ordinary ones (SCHED_FIFO, else the lowest nice value). Only
// for a thread that runs briefly and sleeps. Failure is harmless.
void cperf_thread_first(void);
// Gives the calling thread the highest share of the processor it may have, and returns its nice value
// before. Failure is harmless.
int cperf_thread_favour(void);
// Gives the calling thread a nice value.
void cperf_thread_nice(int value);

// MARK: memory

// Lets the process keep the memory of buffers up to 4 MiB that it frees, up to 64 MiB in all, since
// it soon asks for the same again; else each would come as fresh pages.
void cperf_keep_buffers(void);

// MARK: the self probe

// Functions that return their return address and begin with a nop, there to be probed: the
// five-byte nop that kernels from 6.18 on optimise, the ten-byte nop of 7.2 (on other architectures:
// any nop).
uintptr_t cperf_site_nop5_address(void);
uintptr_t cperf_site_nop10_address(void);

// Forks a child that does what the next two ask for, until cperf_abandon.
int cperf_spawn_probed(struct cperf_child *child);
// Lets the child call the function at `site` so many times; gives what the last call returned: the
// trampoline's address where the return is probed.
int cperf_probed_call(struct cperf_child *child, uintptr_t site, int calls, uintptr_t *address);
// Lets the child read its own memory, for mappings that nobody else can read.
int cperf_probed_peek(struct cperf_child *child, uintptr_t address, uint8_t bytes[16]);

#endif
