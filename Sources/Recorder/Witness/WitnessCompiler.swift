#if Witness
  import Glibc
  import HandlerHost
  import ProbeEvents
  import SystemPackage

  /// Builds the witness's program from the source that this program carries.
  enum WitnessCompiler {
    private static let clang = "clang"

    /// The program as an ELF file.
    ///
    /// - Throws: ``RecorderError/witness(_:)``, saying what is missing.
    static func compile(for architecture: Architecture) throws(RecorderError) -> [UInt8] {
      let (target, machine) =
        switch architecture {
        case .x86_64: ("x86", "x86_64")
        case .aarch64: ("arm64", "aarch64")
        }
      let source = try TemporaryFile.make(PackageResources.witness_bpf_c)
      // Debian keeps the headers of the machine apart, where clang does not look for them when it
      // builds for BPF.
      let arguments = [
        clang, "-O2", "-g", "-target", "bpf", "-D__TARGET_ARCH_\(target)",
        "-idirafter", "/usr/include/\(machine)-linux-gnu", "-x", "c", "-c", source.path, "-o", "-",
      ]
      let outcome: HelperProcess.Outcome
      do throws(Errno) {
        outcome = try HelperProcess.run(arguments)
      } catch {
        throw .witness("clang cannot be started (\(error.description)); install clang")
      }
      guard outcome.status == 0 else {
        throw .witness(
          "clang cannot build the witness's program (\(firstLine(outcome.errors))); install "
            + "libbpf-dev and a clang with the bpf target")
      }
      return outcome.output
    }

    private static func firstLine(_ text: String) -> String {
      text.split(separator: "\n").first { $0.contains("error") }.map(String.init) ?? text
    }
  }

  /// A file that is gone with the value.
  private struct TemporaryFile: ~Copyable {
    let path: String

    private init(path: String) {
      self.path = path
    }

    /// A new file with a content.
    static func make(_ bytes: [UInt8]) throws(RecorderError) -> TemporaryFile {
      var name = Array("/tmp/probetape-witness-XXXXXX".utf8CString)
      // The name is zero-terminated, and `mkstemp` changes it in place.
      let descriptor = unsafe mkstemp(&name)
      guard descriptor >= 0 else {
        throw .system(operation: "make a temporary file", errno: errno)
      }
      defer { close(descriptor) }
      let file = TemporaryFile(
        path: String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
      // The file is small: it is written in one go or not at all.
      let written = unsafe bytes.withUnsafeBytes {
        unsafe write(descriptor, $0.baseAddress, $0.count)
      }
      guard written == bytes.count else {
        throw .system(operation: "write a temporary file", errno: errno)
      }
      return file
    }

    deinit {
      _ = unsafe unlink(path)
    }
  }
#endif
