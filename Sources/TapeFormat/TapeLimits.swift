/// Upper bounds that version 1 of the format lays down, so that reading costs bounded memory.
///
/// A writer never exceeds them; a reader treats a tape that does as damaged before it allocates.
public enum TapeLimits {
  /// Bytes of the header's tagged fields.
  public static let headerLength: UInt64 = 1 << 26
  /// Probes in the probe table.
  public static let probes = 1 << 20
  /// Hits in one block.
  public static let hitsPerBlock = 1 << 16
  /// Stack words in one block.
  public static let wordsPerBlock = 1 << 20
  /// Stack words in one window: 65,528 bytes, the most the kernel copies (a multiple of 8 that fits
  /// `perf_event_attr.sample_stack_user` and the record's 16-bit size).
  public static let wordsPerWindow = 8191
  /// Side events in one block.
  public static let sideEventsPerBlock = 1 << 16
  /// Bytes of one side event's fields.
  public static let sideEventLength = 1 << 17
  /// Instances of all witnesses of one block.
  public static let witnessedInstancesPerBlock = 1 << 20
  /// Threads in one block's table: each hit and each side event can name a new one.
  public static let threadsPerBlock = 1 << 16
  /// Frames of the stacks of one block.
  public static let stackFramesPerBlock = 1 << 20
  /// Frames of one stack: more than a perf record can hold. Each is gone through for each hit, where a
  /// block's frames would allow stacks as deep as they are many.
  public static let framesPerStack = 1 << 13
  /// Files that the stacks of one block lie in.
  public static let stackFilesPerBlock = 1 << 12
  /// Bytes of a file's path that a stack names: the kernel's limit.
  public static let stackPathLength = 4096
  /// Bytes of the build id of a file that a stack names.
  public static let buildIDLength = 64
  /// Bytes of a function's name.
  public static let symbolNameLength = 1 << 14
  /// Groups of one record.
  public static let groupsPerRecord = 16
  /// Bytes of one record's payload, as stored.
  public static let payloadLength = 1 << 25
  /// Bytes of one group, decoded.
  public static let groupLength = 1 << 25
  /// Levels that zstd accepts.
  public static let compressionLevels: ClosedRange<Int32> = 1...22

  /// Whether a group of this stored length can decode to that length: a zstd block holds at most
  /// 128 KiB and takes at least 4 bytes.
  static func isPossible(decoded: Int, stored: Int) -> Bool {
    decoded <= groupLength && decoded <= (stored / 4) * (128 << 10)
  }
}

/// The format's one integer for breaking changes.
public enum TapeVersion {
  /// The version written, and the newest one read.
  public static let current: UInt32 = 1
}
