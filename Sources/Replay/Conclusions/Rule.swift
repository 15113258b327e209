/// The kernel rules that a divergence can name.
enum Rule {
  static let trampoline =
    "the chain at the head returns, unless an older chain is alive and this one is not "
    + "(kernel/events/uprobes.c handle_trampoline(), find_next_ret_chain())"
  static let chainOrder =
    "a chain's instances return newest first, all to one address "
    + "(kernel/events/uprobes.c handle_trampoline())"
  static let noInstance =
    "a task at the trampoline without return instance gets a signal "
    + "(kernel/events/uprobes.c handle_trampoline())"
  static let prepare =
    "an instance is chained exactly when the return address already is the trampoline "
    + "(kernel/events/uprobes.c prepare_uretprobe())"
  static let order = "a return belongs to a call of its task that was entered and has not returned"
  static let possible = "a handler's conclusions add up"
  static let hijack =
    "only the slot of a return instance is set to the trampoline "
    + "(arch_uretprobe_hijack_return_addr())"
  static let witness =
    "the handler's instances are those on the kernel's own list "
    + "(include/linux/uprobes.h struct uprobe_task)"
  static let fatalSignal =
    "a signal for a missing return instance is forced "
    + "(kernel/events/uprobes.c handle_trampoline())"
}
