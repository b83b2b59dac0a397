// libyaml's events to our tree: the parser that go-yaml, and so Docker Compose, was made from.
#include <fmt/format.h>
#include <yaml.h>

#include <algorithm>
#include <memory>
#include <unordered_map>
#include <unordered_set>

#include "compose/yaml.h"
#include "compose/yaml_text.h"

namespace berth::compose {
namespace {

constexpr std::size_t kDepth = 100;
constexpr std::size_t kDocuments = 100;  // each is merged with all before it
constexpr std::size_t kResets = 10'000;
constexpr std::size_t kHashFrom = 16;  // below it a linear search is faster than a hash set
constexpr std::string_view kCoreTag = "tag:yaml.org,2002:";

enum class Step : std::uint8_t { scalar, alias, list, map, end };

// One parse event. `next` is the index behind the value; for an alias `target` is where its value begins.
struct Event {
  Step step = Step::end;
  bool plain = false;
  Mark mark{};
  std::size_t next = 0;
  std::size_t target = 0;
  std::string text{};
  std::string tag{};
};

std::string text_of(const yaml_char_t* text) {
  return text == nullptr ? std::string() : std::string(reinterpret_cast<const char*>(text));
}

// Reads the events of one source, document by document.
class EventReader {
 public:
  EventReader(const Sources& sources, std::uint16_t file, std::size_t most)
      : sources_(sources), file_(file), most_(most) {
    const std::string& text = sources.text(file);
    ready_ = yaml_parser_initialize(&parser_) == 1;
    if (!ready_) return;
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const yaml_char_t*>(text.data()), text.size());
  }
  EventReader(const EventReader&) = delete;
  EventReader& operator=(const EventReader&) = delete;
  ~EventReader() {
    if (ready_) yaml_parser_delete(&parser_);
  }

  /// The next document's events; none at the end of the stream.
  Result<std::vector<Event>> next() {
    events_.clear();
    if (first_) events_.reserve(std::min(most_, sources_.text(file_).size() / 12));  // about what real files have
    first_ = false;
    anchors_.clear();
    open_.clear();
    for (;;) {
      yaml_event_t event;
      if (!ready_ || yaml_parser_parse(&parser_, &event) == 0) return fail(syntax_error());
      const yaml_event_type_t type = event.type;
      auto taken = take(event);
      yaml_event_delete(&event);
      if (!taken) return fail(std::move(taken).error());
      if (type == YAML_DOCUMENT_END_EVENT) return std::move(events_);
      if (type == YAML_STREAM_END_EVENT) return std::vector<Event>();
    }
  }

 private:
  struct Open {
    std::size_t at;
    std::string anchor;
  };

  Error syntax_error() const {
    if (!ready_ || parser_.problem == nullptr) return sources_.error({.file = file_}, "this is no YAML");
    const std::string_view problem = parser_.problem;
    const std::string_view context = parser_.context == nullptr ? "" : parser_.context;
    Mark mark = at(parser_.problem_mark);
    std::string message = fmt::format("invalid YAML: {}", problem);
    if (!context.empty() && context != "while scanning for the next token") message += fmt::format(" {}", context);
    // What has no end is looked for where it begins.
    if (problem.contains("unexpected end of stream"))
      mark = at(parser_.context_mark);
    else if (!context.empty() && parser_.context_mark.line != parser_.problem_mark.line)
      message += fmt::format(" that begins in line {}", parser_.context_mark.line + 1);
    message += yaml_hint(problem, sources_.text(file_), mark);
    return sources_.error(mark, std::move(message));
  }

  Mark at(const yaml_mark_t& mark) const {
    return {static_cast<std::uint32_t>(mark.line + 1),
            static_cast<std::uint16_t>(std::min<std::size_t>(mark.column + 1, 65535)), file_};
  }

  Result<void> take(const yaml_event_t& event) {
    switch (event.type) {
      case YAML_SCALAR_EVENT: {
        const auto& from = event.data.scalar;
        Event& scalar = TRY(begin(Step::scalar, event, from.tag));
        scalar.plain = from.style == YAML_PLAIN_SCALAR_STYLE;
        scalar.text.assign(reinterpret_cast<const char*>(from.value), from.length);
        return finish(events_.size() - 1, text_of(from.anchor));
      }
      case YAML_ALIAS_EVENT:
        return take_alias(event);
      case YAML_SEQUENCE_START_EVENT:
        TRY(begin(Step::list, event, event.data.sequence_start.tag));
        return descend(text_of(event.data.sequence_start.anchor));
      case YAML_MAPPING_START_EVENT:
        TRY(begin(Step::map, event, event.data.mapping_start.tag));
        return descend(text_of(event.data.mapping_start.anchor));
      case YAML_SEQUENCE_END_EVENT:
      case YAML_MAPPING_END_EVENT:
        return ascend();
      default:
        return {};
    }
  }

  Result<std::reference_wrapper<Event>> begin(Step step, const yaml_event_t& from, const yaml_char_t* tag) {
    if (events_.size() >= most_) return fail(sources_.error({.file = file_}, "the file has too many values"));
    Event event{.step = step, .mark = at(from.start_mark)};
    event.tag = text_of(tag);
    return std::ref(events_.emplace_back(std::move(event)));
  }

  Result<void> finish(std::size_t at, std::string anchor) {
    events_[at].next = events_.size();
    if (!anchor.empty()) anchors_[std::move(anchor)] = at;
    return {};
  }

  Result<void> take_alias(const yaml_event_t& event) {
    const std::string name = text_of(event.data.alias.anchor);
    Event& alias = TRY(begin(Step::alias, event, nullptr));
    const auto inside = std::ranges::find(open_, name, &Open::anchor);
    if (inside != open_.end())
      return fail(sources_.error(alias.mark, fmt::format("anchor \"{}\" contains itself", name)));
    const auto anchor = anchors_.find(name);
    if (anchor == anchors_.end()) return fail(sources_.error(alias.mark, fmt::format("unknown anchor \"{}\"", name)));
    alias.target = anchor->second;
    return finish(events_.size() - 1, "");
  }

  Result<void> descend(std::string anchor) {
    if (open_.size() >= kDepth) return fail(sources_.error(events_.back().mark, "the document is nested too deep"));
    open_.push_back({events_.size() - 1, std::move(anchor)});
    return {};
  }

  Result<void> ascend() {
    events_.push_back({.step = Step::end, .mark = events_.back().mark});
    Open done = std::move(open_.back());
    open_.pop_back();
    return finish(done.at, std::move(done.anchor));
  }

  const Sources& sources_;
  std::uint16_t file_;
  std::size_t most_;
  bool first_ = true;
  yaml_parser_t parser_{};
  bool ready_ = false;
  std::vector<Event> events_;
  std::vector<Open> open_;
  std::unordered_map<std::string, std::size_t> anchors_;
};

// The keys of one mapping with their places; most mappings are small, where a list is faster than a hash.
class KeySet {
 public:
  /// The place of the first such key, nullptr when `name` is new.
  const Mark* add(std::string_view name, Mark mark) {
    if (few_.size() < kHashFrom) {
      const auto at = std::ranges::find(few_, name, &std::pair<std::string_view, Mark>::first);
      if (at != few_.end()) return &at->second;
      few_.emplace_back(name, mark);
      return nullptr;
    }
    if (many_.empty()) many_.insert(few_.begin(), few_.end());
    const auto [first, fresh] = many_.emplace(name, mark);
    return fresh ? nullptr : &first->second;
  }

 private:
  std::vector<std::pair<std::string_view, Mark>> few_;
  std::unordered_map<std::string_view, Mark> many_;
};

// Builds the tree of one document; an alias replays the events of its anchor.
class TreeBuilder {
 public:
  TreeBuilder(const Sources& sources, Budget& budget, std::vector<Event> events)
      : sources_(sources), budget_(budget), events_(std::move(events)) {
    aliases_ = std::ranges::any_of(events_, [](const Event& event) { return event.step == Step::alias; });
  }

  Result<Document> build() {
    Document document;
    (void)TRY(value(0, document.root));
    document.resets = std::move(resets_);
    return document;
  }

 private:
  // False: the value was tagged !reset and is not part of the document.
  Result<bool> value(std::size_t at, Node& out) {
    const Event* event = &events_[at];
    if (event->step == Step::alias) return value(event->target, out);
    if (event->tag == "!reset" || event->tag == "!override") {
      if (resets_.size() >= kResets) return fail(sources_.error(event->mark, "too many !reset and !override tags"));
      resets_.push_back(path_);
    }
    if (event->tag == "!reset") return false;
    if (!budget_.take(1, event->text.size()) || depth_ > kDepth)
      return fail(sources_.error(event->mark, "the file grows too big when its aliases are expanded"));
    out.mark = event->mark;
    ++depth_;
    auto done = event->step == Step::scalar ? scalar(events_[at], out)
                : event->step == Step::list ? list(at, out)
                                            : map(at, out);
    --depth_;
    if (!done) return fail(std::move(done).error());
    return true;
  }

  Result<void> scalar(Event& event, Node& out) {
    out.kind = Kind::text;
    out.text = aliases_ ? event.text : std::move(event.text);
    std::string_view tag = event.tag;
    if (tag.empty()) {
      if (event.plain) resolve_plain(out);
      return {};
    }
    if (!tag.starts_with(kCoreTag)) return {};
    tag.remove_prefix(kCoreTag.size());
    if (tag == "str") return {};
    resolve_plain(out);
    const bool fits = (tag == "int" && out.kind == Kind::integer) || (tag == "bool" && out.kind == Kind::boolean) ||
                      (tag == "null" && out.kind == Kind::null) || (tag == "float" && out.kind == Kind::real);
    if (tag == "float" && out.kind == Kind::integer) {
      out.kind = Kind::real;
      out.real = static_cast<double>(out.integer);
      return {};
    }
    const bool known = tag == "int" || tag == "bool" || tag == "null" || tag == "float";
    if (known && !fits) return fail(sources_.error(event.mark, fmt::format("this is no !!{}", tag)));
    return {};
  }

  Result<void> list(std::size_t at, Node& out) {
    out.kind = Kind::list;
    for (std::size_t i = at + 1; events_[i].step != Step::end; i = events_[i].next) {
      path_.push_back(std::to_string(out.items.size()));
      Node item;
      const bool kept = TRY(value(i, item));
      path_.pop_back();
      if (kept) out.items.push_back(std::move(item));
    }
    return {};
  }

  Result<void> map(std::size_t at, Node& out) {
    out.kind = Kind::map;
    KeySet seen;
    std::vector<Node> merged;
    for (std::size_t i = at + 1; events_[i].step != Step::end;) {
      const std::size_t of_value = events_[i].next;
      Node key = TRY(key_of(i));
      TRY(check_unique(seen, events_[target(i)].text, key));
      i = events_[of_value].next;
      TRY(key.kind == Kind::null ? merge_of(of_value, merged) : member(of_value, std::move(key), out));
    }
    for (Node& from : merged) add_missing(std::move(from), out);
    return {};
  }

  std::size_t target(std::size_t at) const { return events_[at].step == Step::alias ? events_[at].target : at; }

  // The key as a node with key and key_mark; kind null for the merge key <<.
  Result<Node> key_of(std::size_t at) {
    const Event& event = events_[target(at)];
    Node key;
    key.key_mark = events_[at].mark;
    if (event.step != Step::scalar) return fail(sources_.error(key.key_mark, "a list or mapping cannot be a key"));
    if (event.plain && event.tag.empty()) {
      if (event.text == "<<") return key;
      Node plain = Node::text_at(event.text, event.mark);
      resolve_plain(plain);
      if (!plain.is_text())
        return fail(sources_.error(
            key.key_mark, fmt::format("non-string key {}{}{}: it is {}; quote it to make it a text", event.text,
                                      path_.empty() ? "" : " in ", fmt::join(path_, "."), plain.kind_name())));
    }
    key.kind = Kind::text;
    key.key = event.text;
    return key;
  }

  Result<void> check_unique(KeySet& seen, std::string_view name, const Node& key) {
    const Mark* first = seen.add(name, key.key_mark);
    if (first == nullptr) return {};
    return fail(sources_.error(key.key_mark, fmt::format("mapping key \"{}\" already defined at line {}, column {}",
                                                         name, first->line, first->column)));
  }

  Result<void> member(std::size_t at, Node key, Node& out) {
    path_.push_back(key.key);
    key.kind = Kind::null;
    const bool kept = TRY(value(at, key));
    path_.pop_back();
    if (kept) out.items.push_back(std::move(key));
    return {};
  }

  Result<void> merge_of(std::size_t at, std::vector<Node>& merged) {
    Node source;
    if (!TRY(value(at, source))) return {};
    const bool maps = source.is_list() && std::ranges::all_of(source.items, &Node::is_map);
    if (!source.is_map() && !maps)
      return fail(sources_.error(events_[at].mark,
                                 fmt::format("map merge requires a mapping or a list of mappings "
                                             "after <<, this is {}",
                                             source.is_list() ? "a list of other values" : source.kind_name())));
    if (source.is_map())
      merged.push_back(std::move(source));
    else
      std::ranges::move(source.items, std::back_inserter(merged));
    return {};
  }

  static void add_missing(Node from, Node& to) {
    std::unordered_set<std::string> have;
    const bool hash = to.items.size() + from.items.size() > kHashFrom;
    if (hash)
      for (const Node& item : to.items) have.insert(item.key);
    for (Node& item : from.items)
      if (hash ? have.insert(item.key).second : to.find(item.key) == nullptr) to.items.push_back(std::move(item));
  }

  const Sources& sources_;
  Budget& budget_;
  std::vector<Event> events_;
  bool aliases_ = false;
  std::size_t depth_ = 0;
  NodePath path_;
  std::vector<NodePath> resets_;
};

}  // namespace

Result<std::vector<Document>> parse_yaml(const Sources& sources, std::uint16_t file, Budget& budget) {
  TRY(check_yaml_text(sources, file));
  std::vector<Document> documents;
  EventReader reader(sources, file, 2 * budget.nodes);
  for (;;) {
    std::vector<Event> events = TRY(reader.next());
    if (events.empty()) return documents;
    if (documents.size() >= kDocuments)
      return fail(sources.error(events[0].mark, fmt::format("there are more than {} documents", kDocuments)));
    documents.push_back(TRY(TreeBuilder(sources, budget, std::move(events)).build()));
  }
}

}  // namespace berth::compose
