import Glibc
import ProbeEvents

/// Finds out what this host can record, and what to do where it cannot.
public enum Doctor {
  /// Makes all checks, in the order in which a recording needs them. Takes a second at most, and
  /// leaves nothing behind.
  public static func examine() -> [Finding] {
    let privileges = Privileges.current
    var findings = [architecture(), configuration(), privilege(privileges), lockdown()]
    findings += tracing(privileges)
    findings += [paranoia(privileges), perfEvents(privileges), rings(), selfProbe()]
    return findings
  }

  static func architecture() -> Finding {
    let name = "architecture"
    do throws(RecorderError) {
      let kernel = try Host().kernel
      return Finding(name, .yes, seen: "\(kernel.architecture.name), kernel \(kernel.release)")
    } catch {
      return Finding(name, .no, seen: "\(error)", remedy: "record on an x86_64 or aarch64 machine")
    }
  }

  /// The kernel's configuration, where a file has it. What counts is whether the files of tracefs
  /// are there: this check only explains it when they are not.
  static func configuration() -> Finding {
    let name = "kernel configuration"
    let release = (try? Syscalls.text(of: "/proc/sys/kernel/osrelease")) ?? ""
    for path in ["/boot/config-\(release)", "/lib/modules/\(release)/config"] {
      guard let text = try? Syscalls.text(of: path) else { continue }
      let lines = Set(text.split(separator: "\n"))
      let missing = ["CONFIG_PERF_EVENTS", "CONFIG_UPROBES", "CONFIG_UPROBE_EVENTS"].filter {
        !lines.contains("\($0)=y")
      }
      return missing.isEmpty
        ? Finding(name, .yes, seen: "\(path) has uprobe events and perf events")
        : Finding(
          name, .no, seen: "\(path) lacks \(missing.joined(separator: ", "))",
          remedy: "boot a kernel built with \(missing.map { $0 + "=y" }.joined(separator: " "))")
    }
    if (try? Syscalls.open("/proc/config.gz", flags: O_RDONLY)) != nil {
      return Finding(
        name, .unsure, seen: "only in compressed form; the checks below show what it has",
        remedy: "zgrep -E 'CONFIG_(PERF_EVENTS|UPROBE)' /proc/config.gz")
    }
    return Finding(
      name, .unsure, seen: "no file has it; the checks below show what the kernel can do")
  }

  static func privilege(_ privileges: Privileges) -> Finding {
    let name = "privilege"
    guard privileges.mayTrace else {
      return Finding(
        name, .no,
        seen: "user \(geteuid()) without CAP_SYS_ADMIN (or CAP_PERFMON and CAP_DAC_OVERRIDE)",
        remedy: "run as root, e.g. sudo probetape record ...")
    }
    return Finding(name, .yes, seen: privileges.summary)
  }

  static func lockdown() -> Finding {
    let name = "kernel lockdown"
    switch Lockdown.current {
    case .confidentiality:
      return Finding(
        name, .no, seen: "confidentiality: perf and tracefs are off",
        remedy: "boot with lockdown=integrity, or without lockdown")
    case .integrity: return Finding(name, .yes, seen: "integrity, which leaves uprobes alone")
    case .off: return Finding(name, .yes, seen: "none")
    case nil:
      let asked = Lockdown.requested.map { "; the command line asks for \($0.rawValue)" } ?? ""
      return Finding(name, .unsure, seen: "no securityfs to ask\(asked)")
    }
  }

  /// tracefs, and the uprobe events in it.
  static func tracing(_ privileges: Privileges) -> [Finding] {
    let place = "tracefs"
    let events = "uprobe events"
    do throws(RecorderError) {
      let tracefs = try Tracefs.reach()
      let seen =
        switch tracefs.origin {
        case .mounted(let path): "mounted at \(path)"
        case .privateMount: "not mounted; a private mount that nobody else sees works"
        }
      return [
        Finding(place, .yes, seen: seen),
        Finding(events, .yes, seen: "uprobe_events can be written"),
      ]
    } catch .noUprobeEvents {
      return [
        Finding(place, .yes, seen: "there"),
        Finding(
          events, .no, seen: "tracefs has no uprobe_events",
          remedy: "boot a kernel built with CONFIG_UPROBE_EVENTS=y"),
      ]
    } catch {
      let remedy =
        privileges.mayTrace
        ? "mount -t tracefs nodev /sys/kernel/tracing" : "run as root, e.g. sudo probetape doctor"
      return [
        Finding(place, .no, seen: "\(error)", remedy: remedy),
        Finding(events, .unsure, seen: "cannot be seen without tracefs", remedy: remedy),
      ]
    }
  }

  static func paranoia(_ privileges: Privileges) -> Finding {
    let name = "perf_event_paranoid"
    guard let text = try? Syscalls.text(of: "/proc/sys/kernel/perf_event_paranoid"),
      let level = Int(text)
    else {
      return Finding(
        name, .no, seen: "no such setting: the kernel has no perf events",
        remedy: "boot a kernel built with CONFIG_PERF_EVENTS=y")
    }
    if privileges.mayTrace {
      return Finding(name, .yes, seen: "\(level), which does not bind a privileged user")
    }
    return level < 0
      ? Finding(name, .yes, seen: "\(level): everybody may record tracepoints")
      : Finding(
        name, .no, seen: "\(level): tracepoints are for privileged users",
        remedy: "sysctl kernel.perf_event_paranoid=-1, or run as root")
  }
}
