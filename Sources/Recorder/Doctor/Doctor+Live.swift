import CPerfEvent
import Glibc
import ProbeEvents

/// The checks that try the thing itself.
extension Doctor {
  static func perfEvents(_ privileges: Privileges) -> Finding {
    let name = "perf_event_open"
    do throws(RecorderError) {
      let events = try trialEvents(ringPages: 1)
      _ = try events.openBase(thread: 0, tracepoints: [])
      return Finding(name, .yes, seen: "opens events for this process")
    } catch .rings {
      return Finding(name, .yes, seen: "opens events for this process")
    } catch .perfEventsUnavailable(let number) {
      return refused(name, number, privileges)
    } catch .notPermitted(_, let number) {
      return refused(name, number, privileges)
    } catch {
      return Finding(name, .no, seen: "\(error)")
    }
  }

  /// A refusal in spite of all privileges comes from a filter.
  private static func refused(
    _ name: String, _ number: Int32, _ privileges: Privileges
  ) -> Finding {
    let text = SystemFailure.text(number)
    if privileges.seccomp == 2 {
      return Finding(
        name, .no, seen: "\(text), under a seccomp filter (a container?)",
        remedy: "run the container privileged, or with --security-opt seccomp=unconfined "
          + "--cap-add SYS_ADMIN")
    }
    if number == ENOSYS {
      return Finding(
        name, .no, seen: text, remedy: "boot a kernel built with CONFIG_PERF_EVENTS=y")
    }
    return Finding(
      name, .no, seen: text, remedy: "run as root, or sysctl kernel.perf_event_paranoid=-1")
  }

  static func rings() -> Finding {
    let name = "rings"
    let remedy = "ulimit -l unlimited, or sysctl kernel.perf_event_mlock_kb=16384"
    do throws(RecorderError) {
      let host = try Host()
      let wanted = RecordingSession.ringBytes(cpus: host.cpus.count)
      let events = try trialEvents(ringPages: wanted / host.pageBytes)
      let smallest = events.rings.map(\.dataBytes).min() ?? 0
      let seen = "\(events.rings.count) of \(smallest >> 10) KiB"
      return smallest == wanted
        ? Finding(name, .yes, seen: seen)
        : Finding(
          name, .unsure, seen: "\(seen), smaller than \(wanted >> 10) KiB", remedy: remedy)
    } catch .rings(let number) {
      return Finding(
        name, .no, seen: "cannot map even a page: \(SystemFailure.text(number))", remedy: remedy)
    } catch {
      return Finding(name, .unsure, seen: "cannot be tried without perf events")
    }
  }

  static func selfProbe() -> Finding {
    let name = "a live probe"
    do throws(RecorderError) {
      let tracefs = try Tracefs.reach()
      var probe = try SelfProbe()
      let outcome = Result { () throws(RecorderError) in
        try probe.probe(cperf_site_nop5_address(), kinds: [.return, .entry], in: tracefs)
      }
      probe.end(tracefs)
      let hits = try outcome.get().hits
      let seen = "\(SelfProbe.calls) calls of our own gave \(hits[1]) entries, \(hits[0]) returns"
      return hits == [SelfProbe.calls, SelfProbe.calls]
        ? Finding(name, .yes, seen: seen)
        : Finding(
          name, .no, seen: seen,
          remedy: "record on another kernel; this one has uprobes that do not work")
    } catch {
      return Finding(name, .no, seen: "\(error)", remedy: "see to the checks above first")
    }
  }

  private static func trialEvents(ringPages: Int) throws(RecorderError) -> PerfEventSet {
    let host = try Host()
    return try PerfEventSet(
      cpus: host.cpus,
      attributes: PerfAttributes(
        registerMask: host.kernel.architecture.registerLayout.perfMask, stackBytes: 64,
        ringBytes: ringPages * host.pageBytes, waitsForExec: false),
      ringPages: ringPages)
  }
}
