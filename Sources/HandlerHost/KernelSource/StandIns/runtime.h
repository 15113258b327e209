/*
 * runtime.h - drives the kernel's functions through the table of probe_handler.h.
 */

struct pt_node { struct return_instance *instance; uint64_t token; };

struct pt_task {
    struct task_struct task;
    /* The list of return instances after the last call, oldest first: what changed since is what
     * the kernel's functions did. */
    struct pt_node nodes[PROBE_MAX_DEPTH];
    unsigned depth;
};

/* Where a tape does not say where the trampoline is: an address that no user memory has. */
#define PT_UNKNOWN_TRAMPOLINE 0xffffffffffffe000ul

static int pt_entry_handler(struct uprobe_consumer *consumer, struct pt_regs *regs)
{
    (void)consumer;
    if (instruction_pointer(regs) != pt->entry->ip)
        pt_fault("an entry handler saw another instruction pointer than the breakpoint");
    pt->entry_calls++;
    return 0;
}

static int pt_return_handler(struct uprobe_consumer *consumer, unsigned long function,
                             struct pt_regs *regs)
{
    (void)consumer;
    if (pt->returned_count == PT_MAX_POPPED) {
        pt_fault("more than %d return handlers in one call", PT_MAX_POPPED);
        return 0;
    }
    pt->returned[pt->returned_count].token = pt_header(pt->returning)->token;
    pt->returned[pt->returned_count].function = function;
    pt->returned[pt->returned_count++].ip = instruction_pointer(regs);
    return 0;
}

static int pt_silent_return_handler(struct uprobe_consumer *consumer, unsigned long function,
                                    struct pt_regs *regs)
{
    (void)consumer, (void)function, (void)regs;
    return 0;
}

static void pt_begin(void *state, uint32_t task)
{
    pt = state;
    pt_current = &pt->tasks[task]->task;
    pt->active = NULL;
    pt->entry_calls = 0;
    pt->is_omitted = pt->is_signalled = false;
    pt->returning = NULL;
    pt->returned_count = 0;
}

/* Moves a task to an address space, or to none; the last one out frees it. */
static void pt_move(struct pt_task *task, struct mm_struct *mm)
{
    struct mm_struct *left = task->task.mm;
    if (mm)
        mm->pt_users++;
    task->task.mm = mm;
    if (left && --left->pt_users == 0)
        free(left);
}

static void pt_end(void)
{
    pt_end_grace_period();
    if (pt->held)
        pt_fault("locks were taken %d times more than given back", pt->held);
    pt->held = 0;
}

static void pt_set_trampoline(struct mm_struct *mm, uint64_t trampoline)
{
    mm->uprobes_state.xol_area = &mm->pt_area;
    mm->pt_trampoline = mm->pt_area.vaddr = trampoline ? trampoline : PT_UNKNOWN_TRAMPOLINE;
}

static struct return_instance *pt_head(struct task_struct *task)
{
    return task->utask ? task->utask->return_instances : NULL;
}

/* How many of the newest nodes are gone, when `instance` is what is left; -1 when it is none. */
static int pt_gone(const struct pt_task *task, const struct return_instance *instance)
{
    for (unsigned gone = 0; gone <= task->depth; gone++) {
        if (instance == (gone < task->depth ? task->nodes[task->depth - 1 - gone].instance : NULL))
            return gone;
    }
    return -1;
}

/* The signatures grew a parameter, which these handlers have no use for. Return events have a handler
 * for the entry as well, as trace_uprobe.c registers them. */
static void pt_consume(struct pt_probe *probe, struct uprobe_consumer *consumer, void *on_return)
{
    consumer->handler = (void *)pt_entry_handler;
    consumer->ret_handler = on_return;
    consumer_add(probe->uprobe, consumer);
    probe->consumers++;
}

static struct pt_probe *pt_probe(uint32_t index, bool wants_return)
{
    if (index >= pt->probe_count) {
        pt->probes = realloc(pt->probes, (index + 1) * sizeof(*pt->probes));
        memset(pt->probes + pt->probe_count, 0,
               (index + 1 - pt->probe_count) * sizeof(*pt->probes));
        pt->probe_count = index + 1;
    }
    if (pt->probes[index])
        return pt->probes[index];
    struct pt_probe *probe = pt->probes[index] = calloc(1, sizeof(*probe));
    probe->uprobe = calloc(1, sizeof(*probe->uprobe));
#if PT_HAS_CONSUMER_LIST
    INIT_LIST_HEAD(&probe->uprobe->consumers);
#endif
    pt_get(probe->uprobe);
    set_bit(UPROBE_COPY_INSN, &probe->uprobe->flags);
    pt_consume(probe, &probe->entry, NULL);
    if (wants_return) {
        pt_consume(probe, &probe->returns, (void *)pt_return_handler);
        for (unsigned other = 0; other < 2 && index % 2; other++)
            pt_consume(probe, &probe->others[other], (void *)pt_silent_return_handler);
    }
    return probe;
}

static uint32_t pt_why_none(const struct probe_entry *entry)
{
    if (!entry->wants_return)
        return PROBE_NO_RETURN_PROBE;
    if (pt->is_omitted)
        return PROBE_OMITTED_AT_DEPTH_LIMIT;
    if (entry->trampoline && entry->return_address == entry->trampoline)
        return PROBE_CHAIN_WITHOUT_INSTANCE;
    return PROBE_HIJACK_FAILED;
}

static void pt_entry_hit(void *state, uint32_t index, const struct probe_entry *entry,
                         struct probe_entry_conclusion *conclusion)
{
    struct pt_regs regs = { 0 };
    pt_begin(state, index);
    struct pt_task *task = pt->tasks[index];
    struct pt_probe *probe = pt_probe(entry->probe, entry->wants_return);
    pt_set_trampoline(task->task.mm, entry->trampoline);
    pt->entry = entry;
    pt->active = probe->uprobe;
    PT_IP(&regs) = entry->ip + PT_BREAKPOINT_SIZE;
    regs.sp = entry->sp;
#if PT_X86_64
    regs.cs = entry->is_compat ? PT_USER32_CS : PT_USER_CS;
#else
    regs.regs[30] = entry->return_address;
#endif
    handle_swbp(&regs);
    pt_end();
#if !PT_X86_64
    if (regs.regs[30] != entry->return_address || entry->return_address == entry->trampoline)
        pt->host->set_link_register(pt->host->context, regs.regs[30]);
#endif
    if (pt->entry_calls != probe->consumers)
        pt_fault("%u entry handlers ran at a breakpoint with %u consumers", pt->entry_calls,
                 probe->consumers);
    if (PT_IP(&regs) != entry->ip || regs.sp != entry->sp || pt->is_signalled)
        pt_fault("a breakpoint hit moved the task, or sent it a signal");

    struct return_instance *head = pt_head(&task->task);
    int gone = head ? pt_gone(task, head->next) : -1;
    if (head && gone >= 0 && task->depth - gone < PROBE_MAX_DEPTH &&
        !(gone < (int)task->depth && task->nodes[task->depth - 1 - gone].instance == head)) {
        int same = gone ? pt_gone(task, head) : -1;
        if (same < 0) {
            pt_header(head)->token = entry->entry;
            task->depth -= gone;
            task->nodes[task->depth++] = (struct pt_node){ head, entry->entry };
            conclusion->dropped = gone;
            conclusion->outcome = head->chained ? PROBE_CHAINED : PROBE_PUSHED;
            return;
        }
    }
    gone = pt_gone(task, head);
    if (gone < 0) {
        pt_fault("the list of return instances is not what is left of it");
        return;
    }
    task->depth -= gone;
    conclusion->dropped = gone;
    conclusion->outcome = pt_why_none(entry);
}

static bool pt_has_returned(uint64_t token)
{
    for (unsigned place = 0; place < pt->returned_count; place++)
        if (pt->returned[place].token == token)
            return true;
    return false;
}

static void pt_trampoline_hit(void *state, uint32_t index, const struct probe_arrival *arrival,
                              struct probe_arrival_conclusion *conclusion)
{
    struct pt_regs regs = { 0 };
    pt_begin(state, index);
    struct pt_task *task = pt->tasks[index];
    struct mm_struct *mm = task->task.mm;
    struct xol_area *area = mm->uprobes_state.xol_area;
    if (task->depth && (!area || area->vaddr != mm->pt_trampoline)) {
        /* An inherited trampoline that leads nowhere. */
        pt_signal(SIGSEGV);
        return;
    }
    if (!area)
        pt_set_trampoline(mm, 0);
    PT_IP(&regs) = mm->pt_trampoline + PT_BREAKPOINT_SIZE;
    regs.sp = arrival->sp;
#if PT_X86_64
    regs.cs = arrival->is_compat ? PT_USER32_CS : PT_USER_CS;
#endif
    handle_swbp(&regs);
    pt_end();
    conclusion->ip = instruction_pointer(&regs);

    int gone = pt_gone(task, pt_head(&task->task));
    if (gone < 0) {
        pt_fault("the list of return instances is not what is left of it");
        return;
    }
    unsigned silent = 0;
    for (int place = 0; place < gone; place++) {
        uint64_t token = task->nodes[task->depth - 1 - place].token;
        if (pt_has_returned(token))
            continue;
        pt->host->instance_dropped(pt->host->context, token);
        silent++;
    }
    task->depth -= gone;
    if (silent + pt->returned_count != (unsigned)gone)
        pt_fault("%u return handlers ran for %u instances", pt->returned_count, gone - silent);
    for (unsigned place = 0; place < pt->returned_count; place++)
        pt->host->return_handled(pt->host->context, pt->returned[place].token,
                                 pt->returned[place].function, pt->returned[place].ip);
}

static void pt_task_created(void *state, uint32_t index)
{
    struct pt_state *now = state;
    if (index >= now->task_count) {
        now->tasks = realloc(now->tasks, (index + 1) * sizeof(*now->tasks));
        for (; now->task_count <= index; now->task_count++)
            now->tasks[now->task_count] = calloc(1, sizeof(struct pt_task));
    }
    struct pt_task *task = now->tasks[index];
    pt_move(task, calloc(1, sizeof(struct mm_struct)));
    task->task.pid = task->task.tgid = index;
    strcpy(task->task.comm, "task");
}

static void pt_task_freed(void *state, uint32_t index)
{
    pt_begin(state, index);
    struct pt_task *task = pt->tasks[index];
    uprobe_free_utask(&task->task);
    pt_end();
    if (task->task.utask)
        pt_fault("a task keeps its return instances when they are freed");
    task->task.utask = NULL;
    task->depth = 0;
    pt_move(task, calloc(1, sizeof(struct mm_struct)));
}

static uint32_t pt_task_copied(void *state, uint32_t parent_index, uint32_t child_index,
                               uint32_t kind)
{
    pt_begin(state, parent_index);
    struct pt_task *parent = pt->tasks[parent_index], *child = pt->tasks[child_index];
    if (kind == PROBE_COPY_FORK) {
        /* A new address space has no XOL area: its page is not copied. */
        pt_move(child, calloc(1, sizeof(struct mm_struct)));
        child->task.mm->pt_trampoline = parent->task.mm->pt_trampoline;
    } else {
        pt_move(child, parent->task.mm);
    }
    /* A new task starts as a copy of its parent's structure. */
    child->task.utask = parent->task.utask;
#if PT_COPY_TAKES_FLAGS
    uprobe_copy_process(&child->task, kind == PROBE_COPY_THREAD ? CLONE_VM
                                      : kind == PROBE_COPY_VFORK ? CLONE_VM | CLONE_VFORK : 0);
#else
    uprobe_copy_process(&child->task);
#endif
    if (child->task.pt_work) {
        pt_current = &child->task;
        child->task.pt_work->func(child->task.pt_work);
        child->task.pt_work = NULL;
    }
    pt_end();
    if (child->task.utask && child->task.utask == parent->task.utask) {
        pt_fault("a child shares its parent's return instances");
        child->task.utask = NULL;
    }
    struct return_instance *copy = pt_head(&child->task);
    unsigned depth = 0;
    for (struct return_instance *each = copy; each; each = each->next)
        depth++;
    if (depth > parent->depth) {
        pt_fault("a child inherits %u instances of %u", depth, parent->depth);
        return 0;
    }
    child->depth = depth;
    for (unsigned place = 0; place < depth; place++, copy = copy->next) {
        uint64_t token = parent->nodes[parent->depth - 1 - place].token;
        child->nodes[depth - 1 - place] = (struct pt_node){ copy, token };
        pt_header(copy)->token = token;
    }
    return depth;
}

static void *pt_create(const struct probe_host *host, const struct probe_tape *tape)
{
    (void)tape;
    struct pt_state *state = calloc(1, sizeof(*state));
    if (state)
        state->host = host;
    return state;
}

static void pt_destroy(void *state)
{
    pt = state;
    for (unsigned index = 0; index < pt->task_count; index++)
        pt_task_freed(state, index);
    if (pt->allocated)
        pt_fault("%ld blocks of memory leaked", pt->allocated);
    for (unsigned index = 0; index < pt->probe_count; index++) {
        if (!pt->probes[index])
            continue;
        int left = ((atomic_t *)&pt->probes[index]->uprobe->ref)->counter - 1;
        if (left)
            pt_fault("%d references of probe %u leaked", left, index);
        free(pt->probes[index]->uprobe);
        free(pt->probes[index]);
    }
    for (unsigned index = 0; index < pt->task_count; index++) {
        pt_move(pt->tasks[index], NULL);
        free(pt->tasks[index]);
    }
    free(pt->tasks);
    free(pt->probes);
    free(pt);
    pt = NULL;
}

static const struct probe_handler pt_handler = {
    .abi_version = PROBE_HANDLER_ABI_VERSION,
    .size = sizeof(struct probe_handler),
    .name = PT_NAME,
    .create = pt_create,
    .destroy = pt_destroy,
    .task_created = pt_task_created,
    .entry_hit = pt_entry_hit,
    .trampoline_hit = pt_trampoline_hit,
    .task_copied = pt_task_copied,
    .task_execed = pt_task_freed,
    .task_exited = pt_task_freed,
};

const struct probe_handler *probe_handler_v1(void) { return &pt_handler; }
