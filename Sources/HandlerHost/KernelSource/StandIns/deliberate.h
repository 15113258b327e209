/*
 * deliberate.h - changed on purpose, so that the host supplies the causes and sees the effects:
 * the current task, user memory, allocation, references, signals, messages, and all that would
 * patch, step or look up instructions.
 */

struct mm_struct {
    struct uprobes_state uprobes_state;
    unsigned long flags;
    struct rw_semaphore mmap_sem, mmap_lock;
    /* How many tasks live in it, its XOL area if there is one, and where its trampoline really is
     * (0 while that is unknown). */
    int pt_users;
    struct xol_area pt_area;
    unsigned long pt_trampoline;
};

struct sighand_struct { spinlock_t siglock; };

struct task_struct {
    struct uprobe_task *utask;
    struct mm_struct *mm;
    unsigned int flags;
    int pid, tgid;
    char comm[16];
    struct sighand_struct *sighand;
    /* To be done on its first return to user mode. */
    struct callback_head *pt_work;
};

/* One probe: its consumers are those of an entry event and, if wanted, of a return event. Every other
 * probe has two more of the latter, which say nothing: as if others traced it too. */
struct pt_probe {
    struct uprobe *uprobe;
    struct uprobe_consumer entry, returns, others[2];
    unsigned consumers;
};

#define PT_MAX_POPPED 256

/* Everything of one tape. */
struct pt_state {
    const struct probe_host *host;
    struct pt_task **tasks;
    struct pt_probe **probes;
    unsigned task_count, probe_count;
    /* The call being handled. */
    const struct probe_entry *entry;
    struct uprobe *active;
    unsigned entry_calls;
    bool is_omitted;
    bool is_signalled;
    struct return_instance *returning;
    struct { uint64_t token, function, ip; } returned[PT_MAX_POPPED];
    unsigned returned_count;
    /* Memory. */
    void *deferred[PT_MAX_POPPED];
    unsigned deferred_count;
    long allocated;
    /* Read and write locks, and read sections, taken and not given back. */
    int held;
};

static __thread struct pt_state *pt __attribute__((tls_model("initial-exec")));
static __thread struct task_struct *pt_current __attribute__((tls_model("initial-exec")));
#define current pt_current

static void pt_fault(const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    pt->host->fault(pt->host->context, text);
}

/* Messages. */
static void pt_print(const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (strstr(text, "nestedness"))
        pt->is_omitted = true;
    pt->host->warn(pt->host->context, text);
}
#define KERN_INFO ""
#define KERN_WARNING ""
#define printk(...) pt_print(__VA_ARGS__)
#define printk_ratelimited(...) pt_print(__VA_ARGS__)
#define pr_warn(...) pt_print(__VA_ARGS__)
#define pr_warning(...) pt_print(__VA_ARGS__)
#define pr_err(...) pt_print(__VA_ARGS__)
#define pr_info(...) pt_print(__VA_ARGS__)
#define pr_info_ratelimited(...) pt_print(__VA_ARGS__)
#define pr_warn_ratelimited(...) pt_print(__VA_ARGS__)
#define WARN(condition, ...) \
    ({ bool bad_ = !!(condition); if (bad_) pt_fault("kernel warning: " __VA_ARGS__); bad_; })
#define WARN_ON(condition) WARN(condition, "%s", #condition)
#define WARN_ON_ONCE(condition) WARN(condition, "%s", #condition)
#define BUG_ON(condition) WARN_ON(condition)
#define VM_WARN_ON_ONCE(condition) WARN_ON(condition)

/* Signals. The task and the siginfo are arguments in some versions and not in others. */
static void pt_signal(int number)
{
    if (!pt->is_signalled)
        pt->host->signal(pt->host->context, number);
    pt->is_signalled = true;
}
#define force_sig(number, ...) pt_signal(number)
#define force_sig_info(number, ...) pt_signal(number)
#define force_fatal_sig(number) pt_signal(number)
#define send_sig(number, ...) pt_signal(number)
#define SEND_SIG_FORCED NULL
#define SEND_SIG_PRIV NULL
#define fatal_signal_pending(task) 0
#define signal_pending(task) 0

/* Memory. A header before each block tells live blocks from others and holds an instance's token. */
struct pt_header { uint64_t magic, token; };
#define PT_MAGIC 0x70726f6265746170ull
static struct pt_header *pt_header(const void *block)
{
    struct pt_header *header = (struct pt_header *)block - 1;
    if (header->magic != PT_MAGIC)
        pt_fault("use of memory that is not allocated, or no longer");
    return header;
}
static void *pt_allocate(size_t size)
{
    struct pt_header *header = calloc(1, sizeof(*header) + size);
    if (!header)
        abort();
    header->magic = PT_MAGIC;
    pt->allocated++;
    return header + 1;
}
/* Memory that nobody cleared holds something, and freed memory something else. */
static void *pt_allocate_dirty(size_t size)
{
    return memset(pt_allocate(size), 0x5a, size);
}
static void kfree(const void *block)
{
    if (ZERO_OR_NULL_PTR(block))
        return;
    struct pt_header *header = pt_header(block);
    if (header->magic != PT_MAGIC)
        return;
    pt->allocated--;
    memset(header, 0x6b, malloc_usable_size(header));
    free(header);
}
/* A grace period ends when the call does. */
static void pt_free_later(const void *block)
{
    if (pt->deferred_count == PT_MAX_POPPED)
        pt_fault("more than %d blocks freed in one call", PT_MAX_POPPED);
    else
        pt->deferred[pt->deferred_count++] = (void *)block;
}
static void pt_end_grace_period(void)
{
    while (pt->deferred_count)
        kfree(pt->deferred[--pt->deferred_count]);
}
static void *pt_duplicate(const void *block, size_t size)
{
    void *copy = pt_allocate(size);
    memcpy(copy, block, size);
    return copy;
}
static void *pt_resize(const void *block, size_t size, size_t old)
{
    void *larger = pt_allocate(size);
    if (!block)
        return larger;
    memcpy(larger, block, old < size ? old : size);
    pt_header(larger)->token = pt_header(block)->token;
    kfree(block);
    return larger;
}
#define kmalloc(size, ...) pt_allocate_dirty(size)
#define kzalloc(size, ...) pt_allocate(size)
#define kcalloc(count, size, ...) pt_allocate((count) * (size))
#define kmalloc_array(count, size, ...) pt_allocate_dirty((count) * (size))
#define kzalloc_obj(place, ...) ((__typeof__(place) *)pt_allocate(sizeof(place)))
#define kmalloc_obj(place, ...) ((__typeof__(place) *)pt_allocate_dirty(sizeof(place)))
#define kmemdup(block, size, ...) pt_duplicate(block, size)
#define krealloc(block, size, ...) \
    pt_resize(block, size, (block) ? malloc_usable_size(pt_header(block)) - 16 : 0)
#define kfree_rcu(block, ...) pt_free_later(block)
#define kfree_rcu_mightsleep(block) pt_free_later(block)

/* User memory. */
static unsigned long copy_from_user(void *to, const void __user *from, unsigned long length)
{
    return pt->host->read_user(pt->host->context, (uintptr_t)from, to, length) ? length : 0;
}
static unsigned long copy_to_user(void __user *to, const void *from, unsigned long length)
{
    return pt->host->write_user(pt->host->context, (uintptr_t)to, from, length) ? length : 0;
}
#define get_user(value, place) \
    (copy_from_user(&(value), (place), sizeof(value)) ? -EFAULT : 0)
#define put_user(value, place) \
    ({ __typeof__(*(place)) kept_ = (value); \
       copy_to_user((place), &kept_, sizeof(kept_)) ? -EFAULT : 0; })

/* Locks exclude nobody, but must be given back before the call ends. */
#define down_read(lock) ((void)(lock), (void)pt->held++)
#define up_read(lock) ((void)(lock), (void)pt->held--)
#define down_write(lock) down_read(lock)
#define up_write(lock) up_read(lock)
#define rcu_read_lock() ((void)pt->held++)
#define rcu_read_unlock() ((void)pt->held--)
#define rcu_read_lock_trace() rcu_read_lock()
#define rcu_read_unlock_trace() rcu_read_unlock()

/* References are counted, and must be back where they were at the end. */
static struct uprobe *pt_get(struct uprobe *uprobe)
{
    ((atomic_t *)&uprobe->ref)->counter++;
    return uprobe;
}
static void put_uprobe(struct uprobe *uprobe)
{
    if (--((atomic_t *)&uprobe->ref)->counter <= 0)
        pt_fault("the last reference of a probe in use was dropped");
}
#define get_uprobe(uprobe) pt_get(uprobe)
#define try_get_uprobe(uprobe) pt_get(uprobe)

/* Lookup gives the probe of the hit; nothing is probed at the trampoline, where a trap lies. */
static struct uprobe *find_active_uprobe_rcu(unsigned long address, int *is_swbp)
{
    *is_swbp = 1;
    (void)address;
    return pt->active;
}
static struct uprobe *find_active_uprobe(unsigned long address, int *is_swbp)
{
    struct uprobe *uprobe = find_active_uprobe_rcu(address, is_swbp);
    return uprobe ? pt_get(uprobe) : NULL;
}
#define mmf_recalc_uprobes(mm) ((void)(mm))

/* The XOL area: where its trampoline is, the tape says; only a child makes its own, where it is told
 * to. */
static struct xol_area *__create_xol_area(unsigned long address)
{
    struct mm_struct *mm = pt_current->mm;
    mm->pt_area.vaddr = address;
    return mm->uprobes_state.xol_area = &mm->pt_area;
}
#define get_xol_area(...) (current->mm->uprobes_state.xol_area)
#define xol_free_insn_slot(...) ((void)0)
#define xol_get_insn_slot(...) 1UL

/* The probed instruction counts as emulated: what it does is on the tape. */
#define can_skip_sstep(uprobe, regs) true
#define arch_uprobe_skip_sstep(auprobe, regs) true
#define arch_uprobe_optimize(...) ((void)0)
#define pre_ssout(uprobe, regs, address) 0

/* No consumer ever asks for removal. */
static int unapply_uprobe(struct uprobe *uprobe, struct mm_struct *mm)
{
    (void)uprobe, (void)mm;
    pt_fault("a breakpoint was removed that no consumer wants removed");
    return 0;
}
#define filter_chain(...) true
#define uprobe_is_active(uprobe) true

/* Time does not pass in a replay: leases of return instances do not run out. */
static void ri_timer(struct timer_list *timer) { (void)timer; }
#define timer_setup(timer, function, flags) ((void)(timer), (void)(function))
#define mod_timer(timer, when) ((void)(timer))
#define timer_pending(timer) false
#define del_timer_sync(timer) ((void)(timer))
#define timer_delete_sync(timer) ((void)(timer))
#define timer_shutdown_sync(timer) ((void)(timer))
#define timer_delete(timer) ((void)(timer))
#define jiffies 0UL
#define HZ 250

/* Work for a child's first return to user mode, where its XOL area is made. */
#define PF_EXITING 0x4
#define TWA_RESUME 1
#define init_task_work(work, function) ((work)->func = (function))
#define task_work_add(task, work, notify) ((task)->pt_work = (work), 0)
#define lockdep_set_class(...) ((void)0)

#if PT_X86_64
/* No shadow stacks on the tape. A breakpoint is no system call, so the old way to tell 32-bit tasks,
 * by the kind of system call, says no. */
#define shstk_is_enabled() false
#define shstk_update_last_frame(value) 0
#define shstk_push(value) 0
#define in_ia32_syscall() false
#define is_ia32_task() false
#else
/* No guarded control stacks on the tape. */
#define task_gcs_el0_enabled(task) false
#define get_user_gcs(address, error) ((void)(address), 0UL)
#define load_user_gcs(address, error) 0UL
#define put_user_gcs(value, address, error) ((void)(error))
#define read_sysreg_s(name) 0UL
#define SYS_GCSPR_EL0 0
#endif
