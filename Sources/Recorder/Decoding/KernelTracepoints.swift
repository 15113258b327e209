/// The kernel's own tracepoints that complete the side band, where it has them.
struct KernelTracepoints {
  private let signal: EventFormat?
  private let newTask: EventFormat?

  /// Those of the given formats that have all fields needed.
  init(signal: EventFormat?, newTask: EventFormat?) {
    self.signal = signal?.has("sig", "code", "sa_handler") == true ? signal : nil
    self.newTask = newTask?.has("pid", "clone_flags") == true ? newTask : nil
  }

  /// Asks tracefs for their formats.
  init(_ tracefs: borrowing Tracefs) {
    self.init(
      signal: tracefs.format(of: "signal:signal_deliver"),
      newTask: tracefs.format(of: "task:task_newtask"))
  }

  /// Whether new tasks are reported with their clone flags.
  var hasNewTask: Bool { newTask != nil }

  /// The events to open for each thread.
  var events: [PerfEventSet.Tracepoint] {
    var events: [PerfEventSet.Tracepoint] = []
    if let signal { events.append(.init(id: signal.id, role: .signal, parts: .registers)) }
    if let newTask { events.append(.init(id: newTask.id, role: .newTask, parts: [])) }
    return events
  }

  /// `sig` of `signal:signal_deliver`.
  var signalNumber: EventFormat.Field { signal.field("sig") }
  /// `code` of `signal:signal_deliver`.
  var signalCode: EventFormat.Field { signal.field("code") }
  /// `sa_handler` of `signal:signal_deliver`.
  var signalHandler: EventFormat.Field { signal.field("sa_handler") }
  /// `pid` of `task:task_newtask`: the new task's number.
  var newTaskChild: EventFormat.Field { newTask.field("pid") }
  /// `clone_flags` of `task:task_newtask`.
  var newTaskFlags: EventFormat.Field { newTask.field("clone_flags") }
}

extension EventFormat {
  /// Whether all the named fields are there, each a number.
  func has(_ names: String...) -> Bool {
    names.allSatisfy { name in fields[name].map { (1...8).contains($0.size) } ?? false }
  }
}

extension EventFormat? {
  /// A field of an event that was opened, so its format is there.
  fileprivate func field(_ name: String) -> EventFormat.Field {
    guard let field = self?.fields[name] else {
      preconditionFailure("a sample of an event that was not opened")
    }
    return field
  }
}
