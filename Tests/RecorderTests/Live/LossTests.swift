import ProbeEvents
import Testing

@testable import Recorder

extension LiveTests {
  @Suite("hits that come as fast as the machine can")
  struct Loss {
    private static let source = """
      #include <pthread.h>
      #include <stdlib.h>
      __attribute__((noipa)) long f(long x) { return x; }
      static long count;
      static void *body(void *unused) {
        for (long i = 0; i < count; i++) f(i);
        return unused;
      }
      int main(int argc, char **argv) {
        count = atol(argv[1]);
        pthread_t threads[4];
        for (int i = 0; i < 4; i++) pthread_create(&threads[i], 0, body, 0);
        for (int i = 0; i < 4; i++) pthread_join(threads[i], 0);
        return 0;
      }
      """

    @Test("with the default rings four threads lose nothing")
    func defaultRings() throws {
      let program = try Program(Self.source)
      let (summary, _) = try LiveHost.record([program.probe("f")], [program.path, "25000"])
      #expect(summary.lost == 0)
      #expect(summary.entries == 100_000)
      #expect(summary.returns == 100_000)
    }

    @Test("with a ring of one page every hit is delivered or counted as lost")
    func tinyRing() throws {
      let program = try Program(Self.source)
      let (summary, sink) = try LiveHost.record(
        [program.probe("f")], [program.path, "5000"], stackBytes: 2560, ringPages: 1)
      #expect(summary.lost > 0)
      let told = sink.events.reduce(into: UInt64(0)) { sum, event in
        if case .lost(let hits) = event { sum += hits.count }
      }
      #expect(told == summary.lost)
      // Side-band records are among the lost ones.
      #expect(summary.hits + summary.lost >= 40_000)
      #expect(summary.hits + summary.lost <= 40_000 + 200)
    }
  }
}
