/*
 * duplicated.h - facts that must equal the kernel's, told again in our own words.
 *
 * Constants of the user ABI, and the meaning of lists, counters and atomic operations. A replay is
 * single-threaded, so atomicity is free; the results must still be the kernel's.
 */

typedef uint8_t u8, __u8;
typedef uint16_t u16, __u16;
typedef uint32_t u32, __u32, __le32;
typedef uint64_t u64, __u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

/* Signals, clone flags and error numbers of the user ABI, the same on both architectures. */
enum { SIGILL = 4, SIGTRAP = 5, SIGKILL = 9, SIGSEGV = 11 };
#define CLONE_VM 0x00000100
#define CLONE_VFORK 0x00004000
enum { ENOENT = 2, EAGAIN = 11, ENOMEM = 12, EFAULT = 14, EBUSY = 16, EINVAL = 22, ENXIO = 6 };

struct list_head { struct list_head *next, *prev; };
struct hlist_node { struct hlist_node *next, **pprev; };
struct hlist_head { struct hlist_node *first; };
struct rb_node { unsigned long colour; struct rb_node *right, *left; };
struct rb_root { struct rb_node *top; };
struct callback_head { struct callback_head *next; void (*func)(struct callback_head *head); };
#define rcu_head callback_head

#define container_of(pointer, type, member) \
    ((type *)((char *)(pointer) - offsetof(type, member)))
#define INIT_LIST_HEAD(head) ((head)->next = (head)->prev = (head))
#define list_entry(pointer, type, member) container_of(pointer, type, member)
#define list_empty(head) ((head)->next == (head))
#define list_for_each_entry(item, head, member)                               \
    for (item = container_of((head)->next, __typeof__(*item), member);        \
         &item->member != (head);                                             \
         item = container_of(item->member.next, __typeof__(*item), member))
#define list_for_each_entry_rcu(item, head, member, ...) list_for_each_entry(item, head, member)
#define list_for_each_entry_srcu(item, head, member, ...) list_for_each_entry(item, head, member)

/* A new entry goes first. */
static inline void list_add(struct list_head *entry, struct list_head *head)
{
    entry->next = head->next;
    entry->prev = head;
    head->next->prev = entry;
    head->next = entry;
}
#define list_add_rcu(entry, head) list_add(entry, head)
static inline void list_add_tail(struct list_head *entry, struct list_head *head)
{
    list_add(entry, head->prev);
}
#define list_add_tail_rcu(entry, head) list_add_tail(entry, head)

typedef struct { int counter; } atomic_t;
typedef struct { s64 counter; } atomic64_t;
typedef struct { int counter; } refcount_t;
#define ATOMIC_INIT(value) { (value) }
#define atomic_read(count) ((count)->counter)
#define atomic_set(count, value) ((count)->counter = (value))
#define atomic_inc(count) ((void)++(count)->counter)
#define atomic_dec(count) ((void)--(count)->counter)
#define atomic_dec_and_test(count) (--(count)->counter == 0)
#define atomic_inc_not_zero(count) ((count)->counter ? (++(count)->counter, true) : false)
#define atomic64_inc_return(count) (++(count)->counter)
#define refcount_set(count, value) ((count)->counter = (value))
#define refcount_read(count) ((count)->counter)
#define refcount_inc(count) ((void)++(count)->counter)
#define refcount_inc_not_zero(count) atomic_inc_not_zero(count)
#define refcount_dec_and_test(count) atomic_dec_and_test(count)

/* What an allocation of no bytes gives; freeing it does nothing. */
#define ZERO_SIZE_PTR ((void *)16)
#define ZERO_OR_NULL_PTR(pointer) ((uintptr_t)(pointer) <= 16)

#define READ_ONCE(place) (*(volatile __typeof__(place) *)&(place))
#define ACCESS_ONCE(place) READ_ONCE(place)
#define WRITE_ONCE(place, value) ((void)(*(volatile __typeof__(place) *)&(place) = (value)))
#define smp_load_acquire(pointer) READ_ONCE(*(pointer))
#define smp_store_release(pointer, value) WRITE_ONCE(*(pointer), value)
#define rcu_dereference_protected(pointer, condition) (pointer)
#define rcu_dereference_raw(pointer) (pointer)
#define rcu_dereference_check(pointer, condition) (pointer)
#define rcu_dereference(pointer) (pointer)
#define rcu_access_pointer(pointer) (pointer)
#define rcu_assign_pointer(pointer, value) ((pointer) = (value))
#define xchg(pointer, value) \
    ({ __typeof__(*(pointer)) old_ = *(pointer); *(pointer) = (value); old_; })
#define cmpxchg(pointer, old, value)                                              \
    ({ __typeof__(*(pointer)) seen_ = *(pointer); if (seen_ == (old)) *(pointer) = (value); seen_; })
#define try_cmpxchg(pointer, expected, value)                                     \
    ({ bool same_ = *(pointer) == *(expected);                                    \
       if (same_) *(pointer) = (value); else *(expected) = *(pointer); same_; })

static inline bool test_bit(long bit, const volatile unsigned long *word)
{
    return *word >> bit & 1;
}
static inline void set_bit(long bit, volatile unsigned long *word) { *word |= 1UL << bit; }
static inline void clear_bit(long bit, volatile unsigned long *word) { *word &= ~(1UL << bit); }
#define BIT(bit) (1UL << (bit))
#define swap(a, b) \
    do { __typeof__(a) kept_ = (a); (a) = (b); (b) = kept_; } while (0)
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define struct_size(pointer, member, count) \
    (sizeof(*(pointer)) + (count) * sizeof((pointer)->member[0]))
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#define min_t(type, a, b) ((type)(a) < (type)(b) ? (type)(a) : (type)(b))
#define max_t(type, a, b) ((type)(a) > (type)(b) ? (type)(a) : (type)(b))

#if PT_X86_64
/* User registers as the kernel names them, and what of them matters here. */
struct pt_regs {
    unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax;
    unsigned long ip, cs, flags, sp, ss;
};
#define PT_USER_CS 0x33
#define PT_USER32_CS 0x23
/* The processor pushes the address behind the breakpoint, which has one byte. */
#define PT_BREAKPOINT_SIZE 1
#define PT_IP(regs) ((regs)->ip)
#define user_64bit_mode(regs) ((regs)->cs == PT_USER_CS)
#else
struct pt_regs { u64 regs[31]; u64 sp, pc, pstate; };
#define PT_BREAKPOINT_SIZE 0
#define PT_IP(regs) ((regs)->pc)
#define procedure_link_pointer(regs) ((regs)->regs[30])
#define procedure_link_pointer_set(link, value) ((link)->regs[30] = (value))
#define AARCH64_INSN_SIZE 4
#endif
#define instruction_pointer(regs) PT_IP(regs)
#define instruction_pointer_set(regs, value) ((void)(PT_IP(regs) = (value)))
#define user_stack_pointer(regs) ((regs)->sp)
