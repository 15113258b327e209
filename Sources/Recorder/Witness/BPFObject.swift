#if Witness
  import CBpf
  import Glibc

  /// A BPF object that is in the kernel as long as this value lives.
  @safe final class BPFObject {
    // Opened by `init` and closed by `deinit`, and by nobody else.
    private let object: OpaquePointer

    /// Loads an ELF file's programs and maps.
    ///
    /// - Parameter left: names of programs that are left out.
    init(_ bytes: [UInt8], leavingOut left: [String]) throws(SystemFailure) {
      // The library copies what it needs of the bytes.
      let opened = unsafe bytes.withUnsafeBytes { bytes in
        unsafe bpf_object__open_mem(bytes.baseAddress, bytes.count, nil)
      }
      guard let object = unsafe opened else {
        throw SystemFailure(operation: "read a BPF object", number: errno)
      }
      for name in left {
        if let program = unsafe bpf_object__find_program_by_name(object, name) {
          _ = unsafe bpf_program__set_autoload(program, false)
        }
      }
      let result = unsafe bpf_object__load(object)
      guard result == 0 else {
        unsafe bpf_object__close(object)
        throw SystemFailure(operation: "load a BPF object", number: -result)
      }
      unsafe self.object = object
    }

    deinit {
      unsafe bpf_object__close(object)
    }

    /// The descriptor of a loaded program; nil when there is none of that name.
    func program(_ name: String) -> Int32? {
      guard let program = unsafe bpf_object__find_program_by_name(object, name) else { return nil }
      let descriptor = unsafe bpf_program__fd(program)
      return descriptor >= 0 ? descriptor : nil
    }

    /// The descriptor of a map; nil when there is none of that name.
    func map(_ name: String) -> Int32? {
      guard let map = unsafe bpf_object__find_map_by_name(object, name) else { return nil }
      let descriptor = unsafe bpf_map__fd(map)
      return descriptor >= 0 ? descriptor : nil
    }

    /// Attaches a program to where its section says; nil when it is not loaded or cannot be attached.
    func attach(_ name: String) -> BPFLink? {
      guard program(name) != nil,
        let program = unsafe bpf_object__find_program_by_name(object, name),
        let link = unsafe bpf_program__attach(program)
      else { return nil }
      return unsafe BPFLink(link)
    }
  }

  /// An attached BPF program, detached with the value.
  @safe final class BPFLink {
    // Handed over to `init`, and destroyed by `deinit` alone.
    private let link: OpaquePointer

    fileprivate init(_ link: OpaquePointer) {
      unsafe self.link = link
    }

    deinit {
      _ = unsafe bpf_link__destroy(link)
    }
  }
#endif
