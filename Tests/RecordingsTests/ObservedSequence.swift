/// The hits of a program as its head comment notes them: `E a, E b, R b | E x x3`.
///
/// Threads are separated by ` | `, in any order; `N threads: ` stands for equal threads, and
/// `HIT xN` or `(HIT, HIT) xN` for repeated hits.
struct ObservedSequence: Equatable {
  /// The hits of each thread, the threads sorted by their text.
  var threads: [[String]]

  init(threads: [[String]]) {
    self.threads = threads.sorted { $0.joined(separator: ",") < $1.joined(separator: ",") }
  }

  /// Nil when the text is not of the form above.
  init?(_ text: String) {
    var threads: [[String]] = []
    for part in text.split(separator: "|") {
      var body = part.trimmingPrefix(" ")
      var number = 1
      if let colon = body.range(of: " threads: ") {
        guard let count = Int(body[..<colon.lowerBound]) else { return nil }
        number = count
        body = body[colon.upperBound...]
      }
      guard let hits = Self.expand(String(body)) else { return nil }
      threads += Array(repeating: hits, count: number)
    }
    self.init(threads: threads)
  }

  /// Hits separated by commas, groups in parentheses.
  private static func expand(_ text: String) -> [String]? {
    var hits: [String] = []
    var rest = text[...].trimmingPrefix(" ")
    while !rest.isEmpty {
      let group: [String]
      let count: Int
      if rest.hasPrefix("(") {
        guard let close = rest.firstIndex(of: ")") else { return nil }
        group = rest[..<close].dropFirst().split(separator: ",")
          .map { String($0.trimmingPrefix(" ")) }
        let after = rest[close...].dropFirst()
        let end = after.firstIndex(of: ",") ?? after.endIndex
        guard let number = number(after[..<end].trimmingPrefix(" ")) else { return nil }
        count = number
        rest = after[end...]
      } else {
        // `E name` or `E name xN`.
        let end = rest.firstIndex(of: ",") ?? rest.endIndex
        let words = rest[..<end].split(separator: " ")
        guard words.count == 2 || words.count == 3,
          let number = words.count == 3 ? number(words[2]) : 1
        else { return nil }
        group = ["\(words[0]) \(words[1])"]
        count = number
        rest = rest[end...]
      }
      for _ in 0..<count { hits += group }
      rest = rest.trimmingPrefix(",").trimmingPrefix(" ")
    }
    return hits
  }

  /// The number of `xN`.
  private static func number(_ text: Substring) -> Int? {
    text.hasPrefix("x") ? Int(text.dropFirst().prefix { $0.isNumber }) : nil
  }
}

extension Substring {
  func range(of text: String) -> Range<Substring.Index>? {
    ranges(of: text).first
  }
}
