import CZstd

/// One endless zstd stream that comes in pieces, as `perf record -z` writes it.
@safe final class ZstdStream {
  // Owned by this object: created once, freed in deinit, never handed out; hence `@safe`.
  private let context: OpaquePointer?
  private var piece = [UInt8](repeating: 0, count: pieceMax)

  /// Bytes that come out of one call at most.
  static let pieceMax = 1 << 18

  init() {
    unsafe context = unsafe ZSTD_createDCtx()
  }

  deinit {
    unsafe ZSTD_freeDCtx(context)
  }

  /// Decompresses from `input` at `position`, which moves on, and appends at most ``pieceMax`` bytes
  /// to `target`. Returns how many were appended, or nil when the input is no such stream.
  func decompress(
    _ input: [UInt8], position: inout Int, into target: inout [UInt8]
  ) -> Int? {
    precondition(position >= 0 && position <= input.count)
    var written = 0
    // Both buffers are whole arrays, the input's from `position` on, and neither is kept.
    let result = unsafe piece.withUnsafeMutableBytes { piece in
      unsafe input.withUnsafeBytes { input in
        var source = unsafe ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: position)
        var sink = unsafe ZSTD_outBuffer(dst: piece.baseAddress, size: piece.count, pos: 0)
        let result = unsafe ZSTD_decompressStream(context, &sink, &source)
        unsafe position = source.pos
        unsafe written = sink.pos
        return result
      }
    }
    target += piece[..<written]
    return ZSTD_isError(result) == 0 ? written : nil
  }
}
