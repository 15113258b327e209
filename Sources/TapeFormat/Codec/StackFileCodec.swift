public import ProbeEvents

/// A file that frames lie in <-> bytes.
enum StackFileCodec {
  static func encode(_ file: StackFile, into bytes: inout [UInt8]) {
    bytes.appendText(file.path)
    bytes.appendBlob(file.buildID)
  }

  static func decode(_ reader: inout FieldReader) throws(TapeDamage.Reason) -> StackFile {
    let file = StackFile(path: try reader.text(), buildID: try reader.blob())
    guard file.isStorable else { throw .overLimit }
    return file
  }
}

extension StackFile {
  /// Whether a tape can hold it: what the kernel gives is within these limits.
  public var isStorable: Bool {
    path.utf8.count <= TapeLimits.stackPathLength && buildID.count <= TapeLimits.buildIDLength
  }
}
