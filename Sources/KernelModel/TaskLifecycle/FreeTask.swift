extension UprobeTask {
  /// Forgets everything, without running handlers: the task has replaced its program or has ended.
  ///
  /// Kernel: kernel/events/uprobes.c uprobe_free_utask(), called for exec and for exit
  public mutating func free() {
    returnInstances.removeAll()
  }
}
