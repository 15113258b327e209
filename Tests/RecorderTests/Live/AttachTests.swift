import Foundation
import Glibc
import ProbeEvents
import TapeFormat
import Testing

@testable import Recorder

extension LiveTests {
  @Suite("running processes")
  struct Attach {
    /// Four threads that call, sleep, and now and then make a thread that calls once, for as long
    /// as their standard input is open.
    private static let source = """
      #include <pthread.h>
      #include <stdio.h>
      #include <unistd.h>
      __attribute__((noipa)) long inner(long x) { return x; }
      __attribute__((noipa)) long outer(long x) { return inner(x) + 1; }
      static volatile int over;
      static void *once(void *unused) { outer(7); return unused; }
      static void *body(void *unused) {
        for (long i = 0; !over; i++) {
          outer(i);
          usleep(500);
          if (i % 50 == 0) {
            pthread_t extra;
            pthread_create(&extra, 0, once, 0);
            pthread_join(extra, 0);
          }
        }
        return unused;
      }
      int main(void) {
        pthread_t threads[3];
        for (int i = 0; i < 3; i++) pthread_create(&threads[i], 0, body, 0);
        puts("ready");
        fflush(stdout);
        char byte;
        while (read(0, &byte, 1) > 0) outer(1);
        over = 1;
        for (int i = 0; i < 3; i++) pthread_join(threads[i], 0);
        puts("done");
        return 0;
      }
      """

    /// The program running, with its standard input and output. Used by one thread at a time.
    private final class Running: @unchecked Sendable {
      let process = Process()
      let input = Pipe()
      let output = Pipe()

      init(_ path: String) throws {
        process.executableURL = URL(fileURLWithPath: path)
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        _ = output.fileHandleForReading.availableData
      }

      deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
      }

      var number: Int32 { process.processIdentifier }

      func end() -> String {
        try? input.fileHandleForWriting.close()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self)
      }
    }

    @Test("all threads are attached to, new ones are inherited, and every thread's calls nest")
    func threads() throws {
      let program = try Program(Self.source)
      let running = try Running(program.path)
      let plan = RecordingPlan(
        probes: [try program.probe("outer"), try program.probe("inner")],
        target: .attach([running.number]))
      let started = Syscalls.now
      let (summary, sink) = try LiveHost.record(plan) {
        DispatchQueue.global().asyncAfter(deadline: .now() + 0.5) { _ = running.end() }
      }
      #expect(summary.targetExit == .unknown)
      #expect(summary.lost == 0)
      #expect(summary.wholeFrom > started)
      #expect(sink.header.wholeFrom == summary.wholeFrom)
      #expect(sink.header.attachedProcesses == [running.number])
      let attached = Set(
        sink.events.compactMap { event in
          if case .attached(let thread) = event { thread } else { nil }
        })
      #expect(attached.count >= 4)
      #expect(attached.contains(ThreadIdentity(process: running.number, thread: running.number)))
      let hits = sink.hits.map(\.hit)
      #expect(Set(hits.map(\.thread)).subtracting(attached).count > 3, "threads made later")
      for (thread, list) in Dictionary(grouping: hits, by: \.thread) {
        // So was one that was made while its creator was being attached to, and called at once.
        if !attached.contains(thread), list[0].time < summary.wholeFrom { continue }
        // A thread that ran already was somewhere in its calls when the recording became whole.
        let whole =
          attached.contains(thread)
          ? Array(
            list.drop { $0.time < summary.wholeFrom || $0.kind == .return || $0.probe == 1 })
          : list
        LiveTests.expectNesting(whole)
        #expect(whole.count % 4 == 0)
      }
      let paths = sink.events.compactMap { event in
        if case .mapping(let mapping) = event { mapping.path } else { nil }
      }
      #expect(paths.contains(program.path))
      #expect(paths.contains(Mapping.uprobesName))
    }

    /// Four threads that do nothing but make threads that call once.
    private static let storm = """
      #include <limits.h>
      #include <pthread.h>
      #include <stdio.h>
      #include <unistd.h>
      __attribute__((noipa)) long inner(long x) { return x; }
      __attribute__((noipa)) long outer(long x) { return inner(x) + 1; }
      static _Atomic long made, limit = LONG_MAX;
      static void *once(void *unused) { outer(7); return unused; }
      static void *body(void *unused) {
        while (made < limit) {
          pthread_t extra;
          if (pthread_create(&extra, 0, once, 0) == 0) pthread_join(extra, 0);
          made++;
        }
        return unused;
      }
      int main(void) {
        pthread_t threads[4];
        for (int i = 0; i < 4; i++) pthread_create(&threads[i], 0, body, 0);
        puts("ready");
        fflush(stdout);
        char byte;
        while (read(0, &byte, 1) > 0) {}
        // However slow the machine is.
        limit = made + 300;
        for (int i = 0; i < 4; i++) pthread_join(threads[i], 0);
        puts("done");
        return 0;
      }
      """

    @Test("in a storm of new threads no hit comes twice and none is missing")
    func storm() throws {
      let program = try Program(Self.storm)
      let running = try Running(program.path)
      let plan = RecordingPlan(
        probes: [try program.probe("outer"), try program.probe("inner")],
        target: .attach([running.number]))
      let (summary, sink) = try LiveHost.record(plan) {
        DispatchQueue.global().asyncAfter(deadline: .now() + 0.3) { _ = running.end() }
      }
      #expect(summary.lost == 0)
      // Thread numbers come round only after 32,768 threads or more.
      var kinds: [Int32: [HitKind]] = [:]
      for item in sink.items {
        switch item {
        case .event(let event):
          if case .fork(let fork) = event.event, event.time > summary.wholeFrom {
            kinds[fork.child.thread] = []
          }
        case .hit(let hit, _):
          kinds[hit.thread.thread]?.append(hit.kind)
        }
      }
      #expect(kinds.count > 100)
      #expect(kinds.values.filter { $0 != [.entry, .entry, .return, .return] } == [])
    }

    /// A process that makes children which call for a while, as long as its standard input is open.
    private static let forks = """
      #include <poll.h>
      #include <stdio.h>
      #include <sys/wait.h>
      #include <unistd.h>
      __attribute__((noipa)) long inner(long x) { return x; }
      __attribute__((noipa)) long outer(long x) { return inner(x) + 1; }
      int main(void) {
        puts("ready");
        fflush(stdout);
        struct pollfd input = {0, POLLIN, 0};
        while (poll(&input, 1, 10) == 0) {
          if (fork() == 0) {
            for (int call = 0; call < 60; call++) {
              outer(7);
              usleep(5000);
            }
            _exit(0);
          }
          while (waitpid(-1, 0, WNOHANG) > 0) {}
        }
        while (wait(0) > 0) {}
        puts("done");
        return 0;
      }
      """

    @Test("children that are forked while their parent is attached to are recorded whole")
    func forkedMeanwhile() throws {
      let program = try Program(Self.forks)
      let running = try Running(program.path)
      let plan = RecordingPlan(
        probes: [try program.probe("outer"), try program.probe("inner")],
        target: .attach([running.number]))
      let (summary, sink) = try LiveHost.record(plan) {
        DispatchQueue.global().asyncAfter(deadline: .now() + 0.5) { kill(getpid(), SIGINT) }
      }
      #expect(summary.lost == 0)
      let early = Set(
        sink.events.compactMap { event in
          if case .attached(let thread) = event, thread.process != running.number {
            thread
          } else {
            nil
          }
        })
      #expect(!early.isEmpty, "the parent forked while it was attached to")
      let whole = sink.hits.map(\.hit).filter { $0.time >= summary.wholeFrom }
      for (thread, list) in Dictionary(grouping: whole, by: \.thread) {
        let calls = list.drop { $0.kind == .return || $0.probe == 1 }
        #expect(!calls.isEmpty, "process \(thread.process) has returns alone")
        // The recording may end within the last call.
        LiveTests.expectNesting(Array(calls.prefix(calls.count / 4 * 4)))
      }
    }

    @Test("a signal ends the recording; the process goes on, without breakpoints or descriptors")
    func nothingLeft() throws {
      let program = try Program(Self.source)
      let running = try Running(program.path)
      let probe = try program.probe("outer")
      let descriptors = "/proc/\(running.number)/fd"
      let before = try FileManager.default.contentsOfDirectory(atPath: descriptors).sorted()
      let (summary, sink) = try LiveHost.record(
        RecordingPlan(probes: [probe], target: .attach([running.number]))
      ) {
        DispatchQueue.global().asyncAfter(deadline: .now() + 0.3) { kill(getpid(), SIGINT) }
      }
      #expect(summary.targetExit == .unknown)
      #expect(summary.entries > 0)
      #expect(sink.trailer != nil)
      #expect(running.process.isRunning)
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: descriptors).sorted() == before)
      let text = try #require(
        ProcessMaps.executable(of: running.number).first { $0.path == program.path })
      let address = text.start + probe.fileOffset - text.fileOffset
      #expect(
        try Syscalls.read("/proc/\(running.number)/mem", at: address, count: 8)
          == Syscalls.read(program.path, at: probe.fileOffset, count: 8))
      #expect(try LiveTests.dynamicEvents() == [])
      #expect(running.end() == "done\n")
      #expect(running.process.terminationStatus == 0)
    }

    @Test("a process that is not there is refused before anything is attached")
    func noProcess() throws {
      let program = try Program("void f(void) {} int main(void) { return 0; }")
      let running = try Running("/bin/true")
      _ = running.end()
      let plan = RecordingPlan(
        probes: [try program.probe("f")], target: .attach([running.number]))
      #expect(throws: RecorderError.noSuchProcess(running.number)) { try Recorder(plan: plan) }
    }
  }
}
