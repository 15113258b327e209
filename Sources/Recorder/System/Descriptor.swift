import Glibc

/// An open file descriptor, closed when its owner goes.
struct Descriptor: ~Copyable {
  /// The number, for use while the owner lives.
  let raw: Int32

  init(_ raw: Int32) {
    self.raw = raw
  }

  deinit {
    _ = Glibc.close(raw)
  }
}
