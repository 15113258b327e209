#if Witness
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
      let source: TemporaryFile
      do throws(Errno) {
        source = try TemporaryFile.make("probetape-witness", PackageResources.witness_bpf_c)
      } catch {
        throw .system(operation: "write the witness's source", errno: error.rawValue)
      }
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
#endif
