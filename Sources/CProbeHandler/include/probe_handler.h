/*
 * probe_handler.h - the interface between probetape and a foreign probe handler.
 *
 * A handler decides what happens at a breakpoint and at the return trampoline. probetape feeds it
 * the causes on a tape, one call for each, and holds what it concludes against what the recording
 * kernel did. Build the handler as a shared library that exports one function,
 *
 *     const struct probe_handler *probe_handler_v1(void);
 *
 * and replay with `probetape replay --handler library:FILE TAPE`.
 *
 * All calls for one state come from one thread, one at a time. A handler never sees the evidence:
 * it must not look into the future of the tape, and has no way to.
 *
 * The header is plain C99 and includes nothing but <stdint.h>.
 */
#ifndef PROBE_HANDLER_H
#define PROBE_HANDLER_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Changes when anything in this file changes its layout or its meaning. */
#define PROBE_HANDLER_ABI_VERSION 1

/* The most return instances that a task may hold. */
#define PROBE_MAX_DEPTH 64

enum probe_architecture {
    PROBE_X86_64 = 1,
    PROBE_AARCH64 = 2,
};

/* What became of the return instance at a breakpoint. */
enum probe_entry_outcome {
    /* Nobody wanted the return. */
    PROBE_NO_RETURN_PROBE = 0,
    /* An instance was pushed and the return address replaced by the trampoline. */
    PROBE_PUSHED = 1,
    /* An instance was pushed; the return address was the trampoline already. */
    PROBE_CHAINED = 2,
    /* No instance, as PROBE_MAX_DEPTH was reached; the return address was not touched. */
    PROBE_OMITTED_AT_DEPTH_LIMIT = 3,
    /* No instance: the return address was the trampoline, but no instance was left to chain to. */
    PROBE_CHAIN_WITHOUT_INSTANCE = 4,
    /* No instance, because the return address could not be read or replaced. */
    PROBE_HIJACK_FAILED = 5,
};

/* How a new task relates to its parent. */
enum probe_copy_kind {
    /* Shares memory and runs beside its parent (CLONE_VM without CLONE_VFORK). */
    PROBE_COPY_THREAD = 0,
    /* Has an address space of its own. */
    PROBE_COPY_FORK = 1,
    /* Borrows its parent's memory while the parent waits (CLONE_VFORK). */
    PROBE_COPY_VFORK = 2,
};

/* A breakpoint hit: what the kernel would find in the task's registers and memory there. */
struct probe_entry {
    /* A number for this call, to hand back when it returns or is dropped. */
    uint64_t entry;
    /* Address of the breakpoint. */
    uint64_t ip;
    uint64_t sp;
    /* The return address: the word at sp (x86-64) or the link register (arm64). */
    uint64_t return_address;
    /* The eight bytes at sp as they lie there; 0 where the tape does not have them. */
    uint64_t stack_word;
    /* Address of the return trampoline in this address space; 0 while it is unknown. */
    uint64_t trampoline;
    /* Index of the probe. */
    uint32_t probe;
    /* Whether somebody wants to know of the return. */
    uint8_t wants_return;
    /* Whether the task runs in 32-bit mode. */
    uint8_t is_compat;
    uint8_t reserved[2];
};

/* What the handler did at a breakpoint. All zero when it is called. */
struct probe_entry_conclusion {
    /* One of enum probe_entry_outcome. */
    uint32_t outcome;
    /* How many dead instances were dropped from the newest on, without return handlers. */
    uint32_t dropped;
};

/* An arrival at the return trampoline. */
struct probe_arrival {
    /* The stack pointer after the return instruction. */
    uint64_t sp;
    uint8_t is_compat;
    uint8_t reserved[7];
};

/* What the handler did there, beside what it told the host through its callbacks. */
struct probe_arrival_conclusion {
    /* Where the task continues; not looked at when a signal was reported. */
    uint64_t ip;
};

/* What the handler may ask of probetape, and must tell it. `context` is the first argument. */
struct probe_host {
    uint32_t abi_version;
    /* sizeof(struct probe_host) of the caller. */
    uint32_t size;
    void *context;

    /* User memory of the task whose call is being handled. What is known of it is the stack window
     * that the tape has of the hit: some words (usually eight, `record --stack` says how many) from
     * the stack pointer upwards, at a breakpoint as the program left them, with the return address
     * in place. What the handler writes there it reads back during the same call. read_user returns
     * 0, or -1, and copies nothing, when one of the bytes is not known; nothing is known in other
     * calls than entry_hit and trampoline_hit, nor at an arrival that ended in a signal. write_user
     * returns 0 or -1. Writes are evidence: the handler must make those that the kernel makes, and
     * no others. */
    int32_t (*read_user)(void *context, uint64_t address, void *bytes, uint32_t length);
    int32_t (*write_user)(void *context, uint64_t address, const void *bytes, uint32_t length);
    /* The link register becomes `value` (arm64, in a breakpoint hit only). */
    void (*set_link_register)(void *context, uint64_t value);

    /* At the trampoline, for each instance taken off the list, newest first: either its return
     * handlers ran (with the function and the instruction pointer they saw) or it was dropped. */
    void (*return_handled)(void *context, uint64_t entry, uint64_t function, uint64_t ip);
    void (*instance_dropped)(void *context, uint64_t entry);

    /* The task gets a signal. */
    void (*signal)(void *context, int32_t number);
    /* The handler found itself in a state that must not be; the replay ends there as diverged. */
    void (*fault)(void *context, const char *text);
    /* A message for the kernel log. */
    void (*warn)(void *context, const char *text);
};

/* What a handler is told about a tape before anything else. */
struct probe_tape {
    /* One of enum probe_architecture. */
    uint32_t architecture;
    uint32_t probe_count;
    /* The recording kernel's `uname -r`. */
    const char *release;
};

/* What a handler library gives. Tasks are small numbers, which are used again after task_exit. */
struct probe_handler {
    /* PROBE_HANDLER_ABI_VERSION and sizeof(struct probe_handler) it was compiled with. */
    uint32_t abi_version;
    uint32_t size;
    /* For people. */
    const char *name;

    /* A state for one tape; NULL when the handler cannot judge it. `host` stays valid until
     * destroy. */
    void *(*create)(const struct probe_host *host, const struct probe_tape *tape);
    void (*destroy)(void *state);

    /* A task without return instances begins. */
    void (*task_created)(void *state, uint32_t task);
    void (*entry_hit)(void *state, uint32_t task, const struct probe_entry *entry,
                      struct probe_entry_conclusion *conclusion);
    void (*trampoline_hit)(void *state, uint32_t task, const struct probe_arrival *arrival,
                           struct probe_arrival_conclusion *conclusion);
    /* `child`, which task_created was called for, is a copy of `parent`. Returns how many return
     * instances it inherits. */
    uint32_t (*task_copied)(void *state, uint32_t parent, uint32_t child, uint32_t kind);
    /* The task replaced its program, or ended. */
    void (*task_execed)(void *state, uint32_t task);
    void (*task_exited)(void *state, uint32_t task);
};

/* The one symbol of a handler library. */
#define PROBE_HANDLER_SYMBOL "probe_handler_v1"
const struct probe_handler *probe_handler_v1(void);

#ifdef __cplusplus
}
#endif

#endif
