// SPDX-License-Identifier: MIT OR GPL-2.0-only
//
// Reads the kernel's own list of pending returns at every hit of a probe, and before and after each
// trampoline where that is a system call, and writes it into the recording's ring of the CPU, in
// front of the hit's sample.
//
// Where the fields lie comes from the running kernel's BTF, so one program serves all kernels. The
// structures below name what is read, not what the kernel has.
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define KERNEL_TYPE __attribute__((preserve_access_index))

struct return_instance {
  unsigned long func;
  unsigned long stack;
  unsigned long orig_ret_vaddr;
  _Bool chained;
  struct return_instance *next;
} KERNEL_TYPE;

struct uprobe_task {
  struct return_instance *return_instances;
  unsigned int depth;
} KERNEL_TYPE;

struct task_struct {
  struct uprobe_task *utask;
} KERNEL_TYPE;

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
  unsigned long ip;
  unsigned long sp;
} KERNEL_TYPE;
#define INSTRUCTION_POINTER(registers) ((registers)->ip)
#define USER_REGISTERS struct pt_regs
#else
struct user_pt_regs {
  __u64 sp;
  __u64 pc;
} KERNEL_TYPE;
#define INSTRUCTION_POINTER(registers) ((registers)->pc)
#define USER_REGISTERS struct user_pt_regs
#endif

// The most instances that are written; the kernel keeps at most 64 of its own making.
#define INSTANCES_MOST 127
// The system call that is the trampoline on x86-64 since 6.11.
#define SYS_URETPROBE 335

enum moment { AT_HIT = 0, BEFORE_TRAMPOLINE = 1, AFTER_TRAMPOLINE = 2 };

struct instance {
  __u64 func;
  __u64 stack;
  __u64 orig_ret_vaddr;
  __u64 chained;
};

// What the recorder finds in the ring: the words of the head, then `count` instances, newest first.
// WitnessRecord.swift reads it.
struct list {
  __u32 moment;
  __u32 count;
  __u64 depth;
  __u64 ip;
  __u64 sp;
  struct instance instances[INSTANCES_MOST + 1];
  // Where the task is in a trampoline's system call; not written.
  __u32 moment_of_call;
};

// A task's own place to put a list together in: hits of other tasks may come in between.
struct {
  __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, struct list);
} lists SEC(".maps");

// The rings' events, by CPU.
struct {
  __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
  __uint(key_size, sizeof(int));
  __uint(value_size, sizeof(int));
} rings SEC(".maps");

static __always_inline void gather(struct list *list, struct uprobe_task *utask) {
  struct return_instance *instance = BPF_CORE_READ(utask, return_instances);
  list->depth = BPF_CORE_READ(utask, depth);
  int count = 0;
  for (; count < INSTANCES_MOST && instance; count += 1) {
    struct instance *next = &list->instances[count];
    next->func = BPF_CORE_READ(instance, func);
    next->stack = BPF_CORE_READ(instance, stack);
    next->orig_ret_vaddr = BPF_CORE_READ(instance, orig_ret_vaddr);
    next->chained = BPF_CORE_READ(instance, chained);
    instance = BPF_CORE_READ(instance, next);
  }
  list->count = count;
}

static __always_inline void report(void *context, struct list *list, struct task_struct *task) {
  struct uprobe_task *utask = BPF_CORE_READ(task, utask);
  list->count = 0;
  list->depth = 0;
  if (utask) gather(list, utask);
  __u64 size = __builtin_offsetof(struct list, instances);
  size += (list->count & INSTANCES_MOST) * sizeof(struct instance);
  bpf_perf_event_output(context, &rings, BPF_F_CURRENT_CPU, list, size);
}

SEC("kprobe")
int at_hit(USER_REGISTERS *context) {
  struct task_struct *task = (struct task_struct *)bpf_get_current_task_btf();
  struct list *list =
      bpf_task_storage_get(&lists, (void *)task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
  if (list) {
    list->moment = AT_HIT;
    list->ip = INSTRUCTION_POINTER(context);
    list->sp = context->sp;
    report(context, list, task);
  }
  // Anything but 0 lets the sample through.
  return 1;
}

// Only tasks that had a hit have a list, so no other task's system calls are looked at further.
static __always_inline void at_trampoline(void *context, int moment) {
  struct task_struct *task = (struct task_struct *)bpf_get_current_task_btf();
  struct list *list = bpf_task_storage_get(&lists, (void *)task, 0, 0);
  if (!list) return;
  // The trampoline's system call forgets its number, so its end is known by its beginning only.
  if (moment == AFTER_TRAMPOLINE && list->moment_of_call != BEFORE_TRAMPOLINE) return;
  list->moment_of_call = moment;
  list->moment = moment;
  list->ip = 0;
  list->sp = 0;
  report(context, list, task);
}

SEC("tp_btf/sys_enter")
int BPF_PROG(before_trampoline, void *registers, long number) {
  (void)registers;
  if (number == SYS_URETPROBE) at_trampoline(ctx, BEFORE_TRAMPOLINE);
  return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(after_trampoline) {
  at_trampoline(ctx, AFTER_TRAMPOLINE);
  return 0;
}

char licence[] SEC("license") = "Dual MIT/GPL";
