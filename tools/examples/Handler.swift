// A complete handler in Swift: return probes as Linux 4.3 and later do them on x86-64.
//
//     swiftc -O -emit-library -import-objc-header Sources/CProbeHandler/include/probe_handler.h \
//       tools/examples/Handler.swift -o handler.so
//     probetape replay --handler library:handler.so TAPE

import Glibc

struct Instance {
  var entry, function, stackPointer, original: UInt64
  var isChained: Bool
}

final class State {
  let host: UnsafePointer<probe_host>
  var tasks: [[Instance]] = []

  init(host: UnsafePointer<probe_host>) { self.host = host }

  func enter(_ task: Int, _ hit: probe_entry) -> probe_entry_conclusion {
    var conclusion = probe_entry_conclusion()
    func end(_ outcome: probe_entry_outcome) -> probe_entry_conclusion {
      conclusion.outcome = outcome.rawValue
      return conclusion
    }
    if hit.wants_return == 0 { return end(PROBE_NO_RETURN_PROBE) }
    if tasks[task].count == PROBE_MAX_DEPTH { return end(PROBE_OMITTED_AT_DEPTH_LIMIT) }
    let isChained = hit.trampoline != 0 && hit.return_address == hit.trampoline
    if !isChained {
      // Little-endian: a 32-bit task's word is the lower half.
      var word = hit.trampoline
      let length: UInt32 = hit.is_compat != 0 ? 4 : 8
      if host.pointee.write_user(host.pointee.context, hit.sp, &word, length) != 0 {
        return end(PROBE_HIJACK_FAILED)
      }
    }
    while let newest = tasks[task].last,
      !(hit.sp < newest.stackPointer || isChained && hit.sp == newest.stackPointer)
    {
      tasks[task].removeLast()
      conclusion.dropped += 1
    }
    var original = hit.return_address
    if isChained {
      guard let newest = tasks[task].last else { return end(PROBE_CHAIN_WITHOUT_INSTANCE) }
      original = newest.original
    }
    tasks[task].append(
      Instance(
        entry: hit.entry, function: hit.ip, stackPointer: hit.sp, original: original,
        isChained: isChained))
    return end(isChained ? PROBE_CHAINED : PROBE_PUSHED)
  }

  func arrive(_ task: Int, _ stackPointer: UInt64) -> UInt64 {
    while let newest = tasks[task].last {
      let start = tasks[task].lastIndex { !$0.isChained } ?? 0
      let returns = start == 0 || stackPointer <= tasks[task][start - 1].stackPointer
      while tasks[task].count > start {
        let instance = tasks[task].removeLast()
        if returns {
          host.pointee.return_handled(
            host.pointee.context, instance.entry, instance.function, instance.original)
        } else {
          host.pointee.instance_dropped(host.pointee.context, instance.entry)
        }
      }
      if returns { return newest.original }
    }
    host.pointee.signal(host.pointee.context, 4)
    return 0
  }
}

func state(_ opaque: UnsafeMutableRawPointer?) -> State {
  Unmanaged<State>.fromOpaque(opaque!).takeUnretainedValue()
}

nonisolated(unsafe) let name = strdup("example in Swift")

nonisolated(unsafe) let table = {
  let table = UnsafeMutablePointer<probe_handler>.allocate(capacity: 1)
  table.initialize(
    to: probe_handler(
      abi_version: UInt32(PROBE_HANDLER_ABI_VERSION),
      size: UInt32(MemoryLayout<probe_handler>.size),
      name: name,
      create: { host, _ in Unmanaged.passRetained(State(host: host!)).toOpaque() },
      destroy: { opaque in Unmanaged<State>.fromOpaque(opaque!).release() },
      task_created: { opaque, task in
        let state = state(opaque)
        while state.tasks.count <= Int(task) { state.tasks.append([]) }
        state.tasks[Int(task)] = []
      },
      entry_hit: { opaque, task, hit, conclusion in
        conclusion!.pointee = state(opaque).enter(Int(task), hit!.pointee)
      },
      trampoline_hit: { opaque, task, arrival, conclusion in
        conclusion!.pointee.ip = state(opaque).arrive(Int(task), arrival!.pointee.sp)
      },
      task_copied: { opaque, parent, child, kind in
        let state = state(opaque)
        guard kind != PROBE_COPY_THREAD.rawValue else { return 0 }
        state.tasks[Int(child)] = state.tasks[Int(parent)]
        return UInt32(state.tasks[Int(child)].count)
      },
      task_execed: { opaque, task in state(opaque).tasks[Int(task)] = [] },
      task_exited: { opaque, task in state(opaque).tasks[Int(task)] = [] }))
  return UnsafePointer(table)
}()

@_cdecl("probe_handler_v1")
public func probeHandler() -> UnsafePointer<probe_handler> { table }
