// history and diff: what was, and what changed since.
#include "base/text.h"
#include "cli/carry_out.h"
#include "cli/verbs.h"
#include "compose/create.h"
#include "plan/diff.h"
#include "plan/redact.h"

namespace berth::cli {
namespace {

Json json_of(const compose::GenerationHead& head) {
  auto out = parse_json(compose::head_text(head));
  if (!out) return {};
  out->erase("kind");
  out->erase("format");
  return *std::move(out);
}

// One project at one time, for comparison.
struct Side {
  compose::Generation generation;
  std::string name;  // "generation 3", "the files"
};

Side side_of(compose::Generation generation) {
  auto name = "generation " + std::to_string(generation.head.number);
  return {.generation = std::move(generation), .name = std::move(name)};
}

// The files as they are now, with the images that the engine would run.
io::Task<Result<Side>> side_of_files(Session& session) {
  const auto project = CO_TRY(co_await session.load());
  Side out{.generation = {.texts = session.texts(), .document = project.document}, .name = "the files"};
  auto& generation = out.generation;
  generation.load.environment = compose::named_variables(project.environment, session.texts());
  const auto observed = CO_TRY(co_await observe_project(session, project));
  for (const auto& service : project.services) {
    const auto reference = compose::image_name(project, service);
    const auto* image = observed.image(reference);
    generation.head.images[service.name] = {.reference = reference, .id = image ? image->id : std::string()};
  }
  co_return out;
}

struct Section {
  std::string_view title;
  std::vector<plan::Difference> differences;
};
std::vector<Section> sections_of(const compose::Generation& before, const compose::Generation& after) {
  return {{"images", compose::image_differences(before.head, after.head)},
          {"project", compose::document_differences(before.document, after.document)},
          {"variables", compose::text_differences(before.load.environment, after.load.environment, false)},
          {"secret files", compose::text_differences(before.secrets, after.secrets, true)}};
}

std::string text_of(const std::vector<Section>& sections) {
  std::string out;
  for (const auto& [title, differences] : sections) {
    if (differences.empty()) continue;
    out += std::string(title) + "\n";
    for (const auto& difference : differences) out += "  " + printable(plan::to_text(difference)) + "\n";
  }
  return out;
}

Json json_of(const Section& section, const std::string& key) {
  Json out = Json::array();
  for (const auto& difference : section.differences) {
    const auto shown = [&](const Json& value) { return difference.secret ? plan::hashed_value(value, key) : value; };
    out.push(Json::object(
        {{"path", difference.path}, {"before", shown(difference.before)}, {"after", shown(difference.after)}}));
  }
  return out;
}

}  // namespace

io::Task<Result<int>> verb_history(Session& session) {
  const auto& format = session.options.history.format;
  const auto project = CO_TRY(co_await history_project(session));
  const auto history = CO_TRY(co_await open_history(session, project));
  Texts damaged;
  const auto heads = history.store.heads(&damaged);
  for (const auto& file : damaged) session.console.warning(file);
  if (format == "json") {
    Json out = Json::array();
    for (const auto& head : heads) out.push(json_of(head));
    session.console.print(out.dump(2) + "\n");
    co_return kDone;
  }
  if (heads.empty()) {
    session.console.note("no generation of " + project + " is kept on this engine yet; the next berth up keeps one");
    co_return kDone;
  }
  std::vector<std::vector<std::string>> rows{{"GENERATION", "TIME", "WHO", "CHANGES", "COMMAND"}};
  for (const auto& head : heads)
    rows.push_back({std::to_string(head.number), head.time, head.who, head.summary,
                    head.command + (head.note.empty() ? "" : " (" + head.note + ")")});
  session.console.print(table(rows));
  co_return kDone;
}

io::Task<Result<int>> verb_diff(Session& session) {
  const auto& format = session.options.history.format;
  const auto project = CO_TRY(co_await history_project(session));
  const auto history = CO_TRY(co_await open_history(session, project));
  const auto& asked = session.options.arguments;
  const auto before = side_of(CO_TRY(history.store.read(CO_TRY(generation_number(asked[0])), history.key)));
  const auto after = asked.size() > 1
                         ? side_of(CO_TRY(history.store.read(CO_TRY(generation_number(asked[1])), history.key)))
                         : CO_TRY(co_await side_of_files(session));
  auto sections = sections_of(before.generation, after.generation);
  // Of the files nobody has read the secrets.
  if (asked.size() == 1) sections.pop_back();
  if (format == "json") {
    Json out = Json::object({{"before", before.name}, {"after", after.name}});
    const auto key = io::random_bytes(32);
    for (const auto& section : sections) out.set(section.title, json_of(section, key));
    session.console.print(out.dump(2) + "\n");
    co_return kDone;
  }
  const auto text = text_of(sections);
  if (text.empty()) session.console.note(before.name + " and " + after.name + " say the same");
  session.console.print(text);
  co_return kDone;
}

}  // namespace berth::cli
