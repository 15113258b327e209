/*
 * A complete handler: return probes as Linux 4.3 and later do them, on both architectures.
 *
 *     cc -O2 -fPIC -shared -ISources/CProbeHandler/include tools/examples/handler.c -o handler.so
 *     probetape replay --handler library:handler.so TAPE
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "probe_handler.h"

struct instance {
    uint64_t entry, function, stack_pointer, original;
    int is_chained;
};

struct task {
    /* Oldest first. */
    struct instance instances[PROBE_MAX_DEPTH];
    unsigned depth;
};

struct state {
    const struct probe_host *host;
    uint32_t architecture;
    struct task **tasks;
    uint32_t count;
};

enum context { CALL, CHAINED_CALL, RETURN };

/* Whether a call may still return, by the stack pointer alone. */
static int is_alive(const struct state *state, const struct instance *instance,
                    enum context context, uint64_t sp)
{
    int equal_is_alive = context == CHAINED_CALL ||
                         (context == RETURN && state->architecture == PROBE_X86_64);
    return sp < instance->stack_pointer || (equal_is_alive && sp == instance->stack_pointer);
}

static void *create(const struct probe_host *host, const struct probe_tape *tape)
{
    struct state *state = calloc(1, sizeof(*state));
    if (state) {
        state->host = host;
        state->architecture = tape->architecture;
    }
    return state;
}

static void destroy(void *opaque)
{
    struct state *state = opaque;
    for (uint32_t index = 0; index < state->count; index++)
        free(state->tasks[index]);
    free(state->tasks);
    free(state);
}

static void task_created(void *opaque, uint32_t index)
{
    struct state *state = opaque;
    if (index >= state->count) {
        state->tasks = realloc(state->tasks, (index + 1) * sizeof(*state->tasks));
        for (; state->count <= index; state->count++)
            state->tasks[state->count] = calloc(1, sizeof(struct task));
    }
    state->tasks[index]->depth = 0;
}

/* Puts the trampoline where the return address is; 0 when it cannot. */
static int hijack(struct state *state, const struct probe_entry *entry)
{
    const struct probe_host *host = state->host;
    if (state->architecture == PROBE_AARCH64) {
        host->set_link_register(host->context, entry->trampoline);
        return 1;
    }
    if (entry->return_address == entry->trampoline)
        return 1;
    /* Little-endian: a 32-bit task's word is the lower half. */
    return !host->write_user(host->context, entry->sp, &entry->trampoline,
                             entry->is_compat ? 4 : 8);
}

static void entry_hit(void *opaque, uint32_t index, const struct probe_entry *entry,
                      struct probe_entry_conclusion *conclusion)
{
    struct state *state = opaque;
    struct task *task = state->tasks[index];
    if (!entry->wants_return) {
        conclusion->outcome = PROBE_NO_RETURN_PROBE;
        return;
    }
    /* The limit comes first: dead instances count. */
    if (task->depth == PROBE_MAX_DEPTH) {
        conclusion->outcome = PROBE_OMITTED_AT_DEPTH_LIMIT;
        return;
    }
    if (!hijack(state, entry)) {
        conclusion->outcome = PROBE_HIJACK_FAILED;
        return;
    }
    int is_chained = entry->trampoline && entry->return_address == entry->trampoline;
    /* Calls that were left by a longjmp are dropped now. */
    while (task->depth && !is_alive(state, &task->instances[task->depth - 1],
                                    is_chained ? CHAINED_CALL : CALL, entry->sp)) {
        task->depth--;
        conclusion->dropped++;
    }
    if (is_chained && !task->depth) {
        conclusion->outcome = PROBE_CHAIN_WITHOUT_INSTANCE;
        return;
    }
    struct instance *instance = &task->instances[task->depth];
    instance->entry = entry->entry;
    instance->function = entry->ip;
    instance->stack_pointer = entry->sp;
    instance->original = is_chained ? instance[-1].original : entry->return_address;
    instance->is_chained = is_chained;
    task->depth++;
    conclusion->outcome = is_chained ? PROBE_CHAINED : PROBE_PUSHED;
}

static void trampoline_hit(void *opaque, uint32_t index, const struct probe_arrival *arrival,
                           struct probe_arrival_conclusion *conclusion)
{
    struct state *state = opaque;
    struct task *task = state->tasks[index];
    const struct probe_host *host = state->host;
    if (!task->depth) {
        host->signal(host->context, SIGILL);
        return;
    }
    for (;;) {
        unsigned length = 1;
        while (length < task->depth && task->instances[task->depth - length].is_chained)
            length++;
        /* The newest chain returns unless the one below is dead too. */
        int returns = length == task->depth ||
                      is_alive(state, &task->instances[task->depth - length - 1], RETURN,
                               arrival->sp);
        conclusion->ip = task->instances[task->depth - 1].original;
        while (length--) {
            struct instance *instance = &task->instances[--task->depth];
            if (returns)
                host->return_handled(host->context, instance->entry, instance->function,
                                     instance->original);
            else
                host->instance_dropped(host->context, instance->entry);
        }
        if (returns)
            return;
    }
}

static uint32_t task_copied(void *opaque, uint32_t parent, uint32_t child, uint32_t kind)
{
    struct state *state = opaque;
    if (kind == PROBE_COPY_THREAD)
        return 0;
    memcpy(state->tasks[child], state->tasks[parent], sizeof(struct task));
    return state->tasks[child]->depth;
}

static void task_freed(void *opaque, uint32_t index)
{
    struct state *state = opaque;
    state->tasks[index]->depth = 0;
}

static const struct probe_handler handler = {
    PROBE_HANDLER_ABI_VERSION,
    sizeof(struct probe_handler),
    "example",
    create,
    destroy,
    task_created,
    entry_hit,
    trampoline_hit,
    task_copied,
    task_freed,
    task_freed,
};

const struct probe_handler *probe_handler_v1(void) { return &handler; }
