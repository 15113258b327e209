import Glibc
import Testing

@testable import Recorder

@Suite("who executes a file")
struct FileUsersTests {
  @Test(
    "a line of a process's maps tells the file that is executed",
    arguments: [
      (
        "55d0-55d1 r-xp 00001000 fd:01 1234                       /usr/bin/a b", "1234 /usr/bin/a b"
      ),
      ("55d0-55d1 r--p 00001000 fd:01 1234                       /usr/bin/a", "none"),
      ("7ffc-7ffd r-xp 00000000 00:00 0                          [vdso]", "none"),
      ("7ffc-7ffd r-xp 00000000 00:00 0", "none"),
    ])
  func line(text: String, expected: String) {
    let file = FileUsers.executedFile(text[...])
    #expect((file.map { "\($0.number) \($0.path)" } ?? "none") == expected)
  }

  @Test("the C library is shared, and is not when all its users are left out")
  func library() throws {
    let maps = try Syscalls.text(of: "/proc/self/maps")
    let path = try #require(
      maps.split(separator: "\n").compactMap(FileUsers.executedFile).map(\.path)
        .first { $0.contains("/libc.so") })
    #expect(FileUsers.shared([path], outside: []) == [path])
    let everybody = Set(Syscalls.names(in: "/proc").compactMap { Int32($0) })
    let later = FileUsers.shared([path], outside: everybody)
    // Somebody may have started meanwhile; a file that nobody executes is never shared.
    #expect(later.isSubset(of: [path]))
    #expect(FileUsers.shared(["/proc/version"], outside: []) == [])
  }

  @Test("a file that is not there counts as shared")
  func missing() {
    #expect(FileUsers.shared(["/nowhere/at/all"], outside: []) == ["/nowhere/at/all"])
  }
}
