import Foundation
import Glibc
import ProbeEvents
import Testing

@testable import Recorder

extension LiveTests {
  @Suite("what the recorded command sees of it")
  struct Transparency {
    /// Writes down everything it was started with.
    private static let source = """
      #define _GNU_SOURCE
      #include <dirent.h>
      #include <signal.h>
      #include <stdio.h>
      #include <stdlib.h>
      #include <string.h>
      #include <sys/resource.h>
      #include <unistd.h>
      extern char **environ;
      __attribute__((noipa)) void f(void) {}
      int main(int argc, char **argv) {
        FILE *out = fopen(argv[1], "w");
        f();
        for (int i = 2; i < argc; i++) fprintf(out, "arg %s\\n", argv[i]);
        for (char **e = environ; *e; e++) fprintf(out, "env %s\\n", *e);
        for (int n = 1; n < 65; n++) {
          struct sigaction action;
          if (sigaction(n, 0, &action) == 0)
            fprintf(out, "signal %d %d\\n", n, action.sa_handler == SIG_IGN);
        }
        sigset_t mask;
        sigprocmask(SIG_SETMASK, 0, &mask);
        for (int n = 1; n < 65; n++) fprintf(out, "blocked %d\\n", sigismember(&mask, n));
        for (int r = 0; r < RLIM_NLIMITS; r++) {
          struct rlimit limit;
          getrlimit(r, &limit);
          fprintf(out, "limit %d %llu %llu\\n", r, (long long)limit.rlim_cur,
                  (long long)limit.rlim_max);
        }
        fprintf(out, "nice %d\\n", getpriority(PRIO_PROCESS, 0));
        fprintf(out, "group %d session %d parent %d\\n", getpgrp(), getsid(0), getppid());
        char link[64], name[256], mounts[256];
        for (int fd = 0; fd < 1000; fd++) {
          snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
          ssize_t length = readlink(link, name, sizeof name - 1);
          if (length < 0 || fd == fileno(out)) continue;
          name[length] = 0;
          fprintf(out, "fd %d %s\\n", fd, name);
        }
        ssize_t length = readlink("/proc/self/ns/mnt", mounts, sizeof mounts - 1);
        fprintf(out, "mounts %.*s\\n", (int)length, mounts);
        fclose(out);
        return 7;
      }
      """

    @Test("arguments, environment, signals, limits, descriptors and namespaces are its own")
    func sameStart() throws {
      let program = try Program(Self.source)
      let plain = program.directory.appendingPathComponent("plain").path
      let recorded = program.directory.appendingPathComponent("recorded").path
      #expect(try Self.spawn([program.path, plain, "a b", ""]) == 7)
      let (summary, _) = try LiveHost.record(
        [program.probe("f")], [program.path, recorded, "a b", ""])
      #expect(summary.targetExit == .exited(7))
      #expect(summary.hits == 2)
      let before = try Self.lines(plain)
      let seen = try Self.lines(recorded)
      #expect(try Self.spawn([program.path, plain, "a b", ""]) == 7)
      let after = try Self.lines(plain)
      #expect(before.rest.count > 150)
      #expect(seen.rest == before.rest)
      // This process opens and closes descriptors of its own meanwhile.
      #expect(seen.descriptors.isSubset(of: before.descriptors.union(after.descriptors)))
      #expect(seen.descriptors.isSuperset(of: before.descriptors.intersection(after.descriptors)))
    }

    @Test("the command is found in PATH, and one that is not there gives the shell's 127")
    func notFound() throws {
      let program = try Program("void f(void) {} int main(void) { return 0; }")
      let (summary, _) = try LiveHost.record([program.probe("f")], ["true"])
      #expect(summary.targetExit == .exited(0))
      let error = #expect(throws: RecorderError.self) {
        try LiveHost.record([program.probe("f")], ["probetape-no-such-command"])
      }
      #expect(error?.shellStatus == 127)
      #expect(error == .launch(command: "probetape-no-such-command", errno: ENOENT))
      #expect(try LiveTests.dynamicEvents() == [])
    }

    @Test("a file that cannot be executed gives the shell's 126")
    func notExecutable() throws {
      let program = try Program("void f(void) {} int main(void) { return 0; }")
      let source = program.directory.appendingPathComponent("source.c").path
      let error = #expect(throws: RecorderError.self) {
        try LiveHost.record([program.probe("f")], [source])
      }
      #expect(error?.shellStatus == 126)
    }

    private static func lines(
      _ path: String
    ) throws -> (rest: [Substring], descriptors: Set<Substring>) {
      let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
      return (
        lines.filter { !$0.hasPrefix("fd ") }, Set(lines.filter { $0.hasPrefix("fd ") })
      )
    }

    /// Starts a command as the recorder would have to: no descriptor closed, nothing reset but the
    /// mask that this thread happens to have.
    private static func spawn(_ command: [String]) throws -> Int32 {
      var attributes = posix_spawnattr_t()
      unsafe posix_spawnattr_init(&attributes)
      var mask = sigset_t()
      unsafe sigemptyset(&mask)
      unsafe posix_spawnattr_setsigmask(&attributes, &mask)
      unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
      var arguments: [UnsafeMutablePointer<CChar>?] = unsafe command.map { unsafe strdup($0) }
      unsafe arguments.append(nil)
      defer { unsafe arguments.forEach { unsafe free($0) } }
      var process: pid_t = 0
      let result = unsafe posix_spawn(&process, command[0], nil, &attributes, arguments, environ)
      guard result == 0 else {
        throw Program.Failure(description: "posix_spawn")
      }
      var status: Int32 = 0
      unsafe waitpid(process, &status, 0)
      return status >> 8 & 0xff
    }
  }
}
