/// The record of a bisection, from which it goes on after an interruption: a text with the question
/// on its first line and an answer on each further one.
public struct BisectionLog: Sendable, Hashable {
  /// What is searched for; a log of another question is not used.
  public let question: String
  /// The answers so far, in the order they were found.
  public private(set) var answers: [(commit: String, answer: Bisection.Answer)] = []

  /// An empty log of a question.
  public init(question: String) {
    self.question = question
  }

  /// The log in a text; nil when it is one of another question. A last line cut short is left out.
  public init?(_ text: String, question: String) {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    guard lines.first == Self.title + question else { return nil }
    self.question = question
    lines.removeFirst()
    // What follows the last line end was being written when the program ended.
    lines = lines.dropLast()
    for line in lines {
      let words = line.split(separator: " ").map(String.init)
      guard words.count >= 2, let answer = Bisection.Answer(rawValue: words[1]) else { continue }
      answers.append((words[0], answer))
    }
  }

  /// The known answer for a commit.
  public func answer(for commit: String) -> Bisection.Answer? {
    answers.last { $0.commit == commit }?.answer
  }

  /// Adds an answer; returns the line to append to the file.
  public mutating func add(_ commit: String, _ answer: Bisection.Answer, note: String) -> String {
    answers.append((commit, answer))
    return "\(commit) \(answer.rawValue) \(note)\n"
  }

  /// The first line of the file.
  public var header: String { Self.title + question + "\n" }

  private static let title = "# probetape bisect: "

  /// Same question, same answers.
  public static func == (left: Self, right: Self) -> Bool {
    left.question == right.question
      && left.answers.elementsEqual(right.answers) {
        $0.commit == $1.commit && $0.answer == $1.answer
      }
  }

  /// Hashes the question and the answered commits.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(question)
    for each in answers {
      hasher.combine(each.commit)
      hasher.combine(each.answer)
    }
  }
}
