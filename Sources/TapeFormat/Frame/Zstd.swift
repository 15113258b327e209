import CZstd

/// One zstd compression context, with content size and content checksum on.
@safe final class ZstdCompressor {
  // Owned by this object: created once, freed in deinit, never handed out; hence `@safe`.
  private let context: OpaquePointer

  init(level: Int32) throws(TapeError) {
    guard TapeLimits.compressionLevels.contains(level) else { throw .compressionLevel(level) }
    guard let context = unsafe ZSTD_createCCtx() else { throw .compressor("no memory") }
    unsafe self.context = unsafe context
    unsafe ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level)
    unsafe ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
  }

  deinit {
    unsafe ZSTD_freeCCtx(context)
  }

  /// Appends one frame with all parts; returns its length.
  ///
  /// Each part of some size ends a zstd block, so that every stream gets the statistics that fit
  /// it. The result is a plain zstd frame.
  func compress(
    _ parts: [[UInt8]], length: Int, into bytes: inout [UInt8]
  ) throws(TapeError) -> Int {
    let start = bytes.count
    // The bound for one part, plus what blocks that end early can add.
    let bound = ZSTD_compressBound(length) + 16 * (parts.count + 1)
    bytes.append(contentsOf: repeatElement(0, count: bound))
    unsafe ZSTD_CCtx_reset(context, ZSTD_reset_session_only)
    unsafe ZSTD_CCtx_setPledgedSrcSize(context, UInt64(length))
    var written = start
    for index in 0...parts.count {
      let part = index < parts.count ? parts[index] : []
      let end =
        index == parts.count
        ? ZSTD_e_end : part.count >= Self.ownBlock ? ZSTD_e_flush : ZSTD_e_continue
      // Source and target are whole arrays, the target from `written` on; neither is kept.
      let left = unsafe bytes.withUnsafeMutableBytes { target in
        unsafe part.withUnsafeBytes { source in
          var input = unsafe ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: 0)
          var output = unsafe ZSTD_outBuffer(
            dst: target.baseAddress, size: target.count, pos: written)
          let left = unsafe ZSTD_compressStream2(context, &output, &input, end)
          written = unsafe output.pos
          return left
        }
      }
      guard ZSTD_isError(left) == 0 else {
        bytes.removeSubrange(start...)
        throw .compressor(unsafe String(cString: ZSTD_getErrorName(left)))
      }
      precondition(end == ZSTD_e_continue || left == 0, "the target is large enough")
    }
    bytes.removeSubrange(written...)
    return written - start
  }

  /// Bytes from which on a part is worth statistics of its own.
  private static let ownBlock = 256
}

/// One zstd decompression context.
@safe final class ZstdDecompressor {
  // Owned by this object: created once, freed in deinit, never handed out; hence `@safe`.
  private let context: OpaquePointer?

  init() {
    unsafe context = unsafe ZSTD_createDCtx()
  }

  deinit {
    unsafe ZSTD_freeDCtx(context)
  }

  /// Decodes exactly one frame, at a range that must lie within `bytes`, into `target`, which gets
  /// exactly `length` bytes. The caller has bounded `length`.
  func decompress(
    _ bytes: [UInt8], _ range: Range<Int>, length: Int, into target: inout [UInt8]
  ) throws(TapeDamage.Reason) {
    precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
    guard isPlainFrame(bytes, range, length: length) else { throw .notAZstdFrame }
    if target.count < length {
      target.append(contentsOf: repeatElement(0, count: length - target.count))
    } else {
      target.removeSubrange(length...)
    }
    // The source is the range checked above, the destination the whole of `target`.
    let result = unsafe target.withUnsafeMutableBytes { destination in
      unsafe bytes.withUnsafeBytes { source in
        unsafe ZSTD_decompressDCtx(
          context, destination.baseAddress, destination.count,
          source.baseAddress.map { unsafe $0 + range.lowerBound }, range.count)
      }
    }
    guard ZSTD_isError(result) == 0 else { throw .zstd }
    guard Int(result) == length else { throw .decodedLength }
  }

  /// One frame, nothing after it, with the content size claimed and a content checksum.
  private func isPlainFrame(_ bytes: [UInt8], _ range: Range<Int>, length: Int) -> Bool {
    guard range.count > 8, bytes.littleEndian(at: range.lowerBound, as: UInt32.self) == 0xFD2F_B528,
      bytes[range.lowerBound + 4] & 0x04 != 0
    else { return false }
    // The pointer spans the range checked by the caller, and is not kept.
    return unsafe bytes.withUnsafeBytes { source in
      let frame = unsafe source.baseAddress.map { unsafe $0 + range.lowerBound }
      return unsafe ZSTD_findFrameCompressedSize(frame, range.count) == range.count
        && ZSTD_getFrameContentSize(frame, range.count) == UInt64(length)
    }
  }
}
