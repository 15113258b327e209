import CZstd

/// One endless zstd stream that comes in pieces, as `perf record -z` writes it.
@safe final class ZstdStream {
  // Owned by this object: created once, freed in deinit, never handed out; hence `@safe`.
  private let context: OpaquePointer?

  init() {
    unsafe context = unsafe ZSTD_createDCtx()
  }

  deinit {
    unsafe ZSTD_freeDCtx(context)
  }

  /// Decompresses from `input` at `position`, which moves on, and appends at most `limit` bytes to
  /// `target`. Returns how many were appended, or nil when the input is no such stream.
  func decompress(
    _ input: [UInt8], position: inout Int, limit: Int, into target: inout [UInt8]
  ) -> Int? {
    precondition(position >= 0 && position <= input.count && limit > 0)
    let start = target.count
    target.append(contentsOf: repeatElement(0, count: limit))
    var written = 0
    // Both buffers are whole arrays from the given places on, and neither is kept.
    let result = unsafe target.withUnsafeMutableBytes { target in
      unsafe input.withUnsafeBytes { input in
        var source = unsafe ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: position)
        var sink = unsafe ZSTD_outBuffer(dst: target.baseAddress, size: target.count, pos: start)
        let result = unsafe ZSTD_decompressStream(context, &sink, &source)
        unsafe position = source.pos
        unsafe written = sink.pos - start
        return result
      }
    }
    target.removeSubrange((start + written)...)
    return ZSTD_isError(result) == 0 ? written : nil
  }
}
