#include "cli/complete.h"

#include <algorithm>
#include <span>

#include "base/text.h"
#include "cli/flags.h"

namespace berth::cli {
namespace {

constexpr int kNoSpace = 2, kNoFiles = 4, kFolders = 16;

bool is_switch(const Flag& flag) {
  return std::holds_alternative<bool*>(flag.target);
}

void keep_value(const Flag& flag, std::string_view value) {
  if (auto* const* text = std::get_if<std::string*>(&flag.target)) **text = value;
  if (auto* const* texts = std::get_if<Texts*>(&flag.target)) (*texts)->emplace_back(value);
}

// Reads the words before the one that is typed, as far as they say what may follow.
class Walk {
 public:
  explicit Walk(Options& options) : options_(options), flags_(global_flags(options)) {}

  void take(std::string_view word) {
    if (awaited) {
      keep_value(*std::exchange(awaited, nullptr), word);
    } else if (only_words || !word.starts_with('-') || word == "-") {
      take_word(word);
    } else if (word == "--") {
      only_words = true;
    } else {
      take_flag(word);
    }
  }

  const Flag* find(std::string_view name) const {
    for (const auto& flag : flags_)
      for (const auto own : split(flag.names, ','))
        if (own == name) return &flag;
    return nullptr;
  }
  std::span<const Flag> flags() const { return flags_; }

  const Grammar* verb = nullptr;
  bool helping = false;  // after `help`
  Texts words{};         // of the verb
  const Flag* awaited = nullptr;
  bool only_words = false;

 private:
  void take_word(std::string_view word) {
    if (verb) {
      words.emplace_back(word);
      only_words = only_words || verb->stops;
    } else if (word == "help") {
      helping = true;
    } else if (const auto* found = find_grammar(word)) {
      verb = found;
      auto own = verb_flags(verb->name, options_);
      std::ranges::move(flags_, std::back_inserter(own));  // an earlier name wins
      flags_ = std::move(own);
    } else {
      unknown = true;
    }
  }

  void take_flag(std::string_view word) {
    const auto [name, value, has_value] = cut(word, '=');
    const auto short_name = word.substr(0, 2);
    const auto* flag = find(word.starts_with("--") ? name : short_name);
    if (!flag || is_switch(*flag)) return;
    if (has_value)
      keep_value(*flag, value);
    else if (word.starts_with("--") || word.size() == 2)
      awaited = flag;
    else
      keep_value(*flag, word.substr(2));
  }

  Options& options_;
  std::vector<Flag> flags_;

 public:
  bool unknown = false;  // a verb of another room
};

void add_names(Candidates& out, const Texts& names, std::string_view suffix = {}) {
  for (const auto& name : names) out.words.emplace_back(name + std::string(suffix), "");
  out.open = out.open || !suffix.empty();
}

void add_verbs(Candidates& out, const CompletionFacts& facts) {
  for (const auto& grammar : grammars())
    if (!grammar.group.empty()) out.words.emplace_back(grammar.name, grammar.summary);
  for (const auto& other : facts.others) out.words.emplace_back(other.name, other.summary);
}

// What a flag's value may be, by its placeholder.
void add_values(Candidates& out, const Flag& flag, const Options& options, const CompletionFacts& facts) {
  for (const auto choice : split(flag.choices, '|'))
    if (!choice.empty() && choice != "...") out.words.emplace_back(choice, "");
  if (flag.value == "SERVICE" || flag.value == "SERVICES") add_names(out, facts.services(options));
  if (flag.value == "SERVICE=N") add_names(out, facts.services(options), "=");
  if (flag.names == "--profile") add_names(out, facts.profiles(options));
  if (flag.value == "FILE") out.files = Candidates::Files::any;
  if (flag.value == "PATH") out.files = Candidates::Files::folders;
}

void add_flags(Candidates& out, const Walk& walk) {
  Texts seen;
  for (const auto& flag : walk.flags()) {
    if (flag.help.empty()) continue;
    for (const auto name : split(flag.names, ',')) {
      if (!name.starts_with("--") || contains(seen, name)) continue;
      seen.emplace_back(name);
      out.words.emplace_back(name, flag.help);
    }
  }
}

void add_arguments(Candidates& out, const Walk& walk, const Options& options, const CompletionFacts& facts) {
  const auto& verb = *walk.verb;
  const std::string_view shape = verb.arguments;
  if (verb.most >= 0 && walk.words.size() >= static_cast<std::size_t>(verb.most)) return;
  if (shape.starts_with("SERVICE=N")) return add_names(out, facts.services(options), "=");
  if (shape == "SOURCE TARGET") {
    out.files = Candidates::Files::any;
    return add_names(out, facts.services(options), ":");
  }
  if (verb.stops && !walk.words.empty()) {
    out.files = Candidates::Files::any;  // a command in the container: files are as good a guess as any
    return;
  }
  if (shape.contains("SERVICE") && (shape.contains("...") || walk.words.empty()))
    for (const auto& name : facts.services(options))
      if (!contains(walk.words, name)) out.words.emplace_back(name, "");
  if (shape == "SUBJECT") add_names(out, facts.services(options));
  if (shape == "SHELL") add_names(out, {"bash", "zsh", "fish"});
  if (shape == "viz") add_names(out, {"viz"});
  if (shape == "[VERB]") add_verbs(out, facts);
}

}  // namespace

Candidates complete(Texts words, const CompletionFacts& facts) {
  if (!words.empty() && words.front() == "compose") words.erase(words.begin());
  if (words.empty()) words.emplace_back();
  const auto typed = words.back();
  words.pop_back();
  Options options;
  Walk walk(options);
  for (const auto& word : words) walk.take(word);
  Candidates out;
  const auto [name, value, has_value] = cut(typed, '=');
  const auto* flag = typed.starts_with("--") && has_value ? walk.find(name) : nullptr;
  if (walk.awaited) {
    add_values(out, *walk.awaited, options, facts);
  } else if (flag) {
    add_values(out, *flag, options, facts);
    for (auto& [word, about] : out.words) word.insert(0, std::string(name) + "=");
  } else if (typed.starts_with('-') && !walk.only_words) {
    add_flags(out, walk);
  } else if (walk.unknown) {
    out.files = Candidates::Files::any;
  } else if (!walk.verb) {
    add_verbs(out, facts);
  } else if (!walk.helping) {
    add_arguments(out, walk, options, facts);
  }
  if (walk.verb && walk.verb->name == "cp" && typed.contains(':')) out.files = Candidates::Files::none;
  std::erase_if(out.words, [&](const auto& word) { return !word.first.starts_with(typed); });
  return out;
}

std::string completion_text(const Candidates& candidates) {
  std::string out;
  for (const auto& [word, about] : candidates.words) out += word + (about.empty() ? "" : "\t" + about) + "\n";
  int directive = candidates.open && !candidates.words.empty() ? kNoSpace : 0;
  if (candidates.files == Candidates::Files::none) directive |= kNoFiles;
  if (candidates.files == Candidates::Files::folders) directive |= kFolders;
  return out + ":" + std::to_string(directive) + "\n";
}

}  // namespace berth::cli
