/*
 * stubs.h - empty stand-ins: what the functions mention and a replay has no use for. Locks of one
 * thread, memory barriers, annotations for checkers, and types that are only ever members.
 */

#define __user
#define __force
#define __rcu
#define __percpu
#define __counted_by(member)
#define __init
#define __weak
#define __used
#define __maybe_unused __attribute__((unused))
#define __always_inline inline
#define __kprobes
#define __read_mostly
#define __ro_after_init
#define __private
#define __rcu_dereference
#define __must_check
#define noinline
#define notrace
#define asmlinkage
#define uninitialized_var(name) name = 0
#define ____cacheline_aligned
#define fallthrough ((void)0)
#define likely(condition) (condition)
#define unlikely(condition) (condition)
#define prefetch(pointer) ((void)(pointer))
#define data_race(expression) (expression)

#define smp_mb() ((void)0)
#define smp_read_barrier_depends() ((void)0)
#define smp_rmb() ((void)0)
#define smp_wmb() ((void)0)
#define barrier() ((void)0)
#define might_sleep() ((void)0)
#define lockdep_assert_held(...) ((void)0)
#define lockdep_assert(...) ((void)0)

struct mutex { char empty; };
struct rw_semaphore { char empty; };
struct percpu_rw_semaphore { char empty; };
struct lock_class_key { char empty; };
typedef struct { char empty; } spinlock_t;
typedef struct { char empty; } raw_spinlock_t;
typedef struct { char empty; } rwlock_t;
typedef struct { char empty; } seqcount_t;
typedef struct { char empty; } wait_queue_head_t;
struct srcu_struct { char empty; };
struct srcu_ctr { char empty; };
struct inode { char empty; };
struct page { char empty; };
struct vm_special_mapping { const char *name; void *pages; void *fault; void *mremap; };
struct work_struct { char empty; };
struct timer_list { char empty; };
struct hrtimer { char empty; };
typedef struct { char empty; } siginfo_t;
typedef int gfp_t;
typedef struct { unsigned long bits; } nodemask_t;
struct insn { char empty; };

#define __ARCH_SPIN_LOCK_UNLOCKED { 0 }
#define DEFINE_MUTEX(name) struct mutex name
#define DEFINE_SPINLOCK(name) spinlock_t name
#define DEFINE_RWLOCK(name) rwlock_t name
#define DEFINE_STATIC_SRCU(name) static struct srcu_struct name
#define DEFINE_STATIC_SRCU_FAST(name) static struct srcu_struct name
#define DEFINE_STATIC_SRCU_FAST_UPDOWN(name) static struct srcu_struct name
#define mutex_lock(lock) ((void)(lock))
#define mutex_unlock(lock) ((void)(lock))
#define spin_lock(lock) ((void)(lock))
#define spin_unlock(lock) ((void)(lock))
#define raw_spin_lock(lock) ((void)(lock))
#define raw_spin_unlock(lock) ((void)(lock))
#define read_seqcount_begin(count) 0
#define read_seqcount_retry(count, start) 0
#define raw_write_seqcount_begin(count) ((void)(count))
#define raw_write_seqcount_end(count) ((void)(count))
#define write_seqcount_begin(count) ((void)(count))
#define write_seqcount_end(count) ((void)(count))
#define seqcount_init(count) ((void)(count))
#define raw_seqcount_begin(count) 0
#define raw_seqcount_try_begin(count, start) ((start) = 0, true)
#define rcu_read_lock_trace_held() true
#define rcu_read_lock_held() true
#define srcu_read_lock(domain) ((void)(domain), 0)
#define srcu_read_unlock(domain, index) ((void)(index))
#define srcu_read_lock_held(domain) true
#define __srcu_read_lock(domain) ((void)(domain), 0)
#define __srcu_read_unlock(domain, index) ((void)(domain), (void)(index))
#define __srcu_read_lock_fast(domain) ((struct srcu_ctr *)(domain))
#define __srcu_read_unlock_fast(domain, index) ((void)(index))
#define srcu_down_read(domain) ((void)(domain), 0)
#define srcu_up_read(domain, index) ((void)(index))
#define srcu_down_read_fast(domain) ((struct srcu_ctr *)(domain))
#define srcu_up_read_fast(domain, index) ((void)(index))
#define guard(kind) (void)
#define preempt_disable() ((void)0)
#define preempt_enable() ((void)0)
#define local_irq_save(flags) ((void)(flags = 0))
#define local_irq_restore(flags) ((void)(flags))
#define lock_is_held(map) 1

#define EXPORT_SYMBOL_GPL(symbol)
#define EXPORT_SYMBOL(symbol)
#define NOKPROBE_SYMBOL(symbol)

#define GFP_KERNEL 0
#define GFP_NOWAIT 0
#define GFP_ATOMIC 0
#define __GFP_NOWARN 0

/* Opaque members of the architectures' structures. */
struct arch_probe_insn { char empty[64]; };
struct arch_specific_insn { char empty[64]; };
typedef unsigned int probe_opcode_t;
struct uprobe_xol_ops;
