// explain: why something is as it is, what was last done with it, and what would be done now.
#include <algorithm>

#include "base/text.h"
#include "cli/carry_out.h"
#include "cli/plan_request.h"
#include "cli/verbs.h"

namespace berth::cli {
namespace {

// What the last generation that touched a subject did with it.
struct Deed {
  compose::GenerationHead head{};
  std::string subject{};
  std::string op{};
  std::string cause{};
};

bool is_about(const Json& op, std::string_view asked) {
  const auto subject = op["subject"].text();
  const auto rest = cut(subject, ':').after;
  return subject == asked || rest == asked || op["service"].text() == asked || op["object"].text() == asked ||
         rest.starts_with(std::string(asked) + ":");
}

// Of the ops of one subject the creation tells why, else the first.
std::vector<Deed> deeds_in(const compose::Generation& generation, std::string_view asked) {
  std::vector<Deed> out;
  for (const Json& op : generation.plan["ops"].items()) {
    if (!is_about(op, asked)) continue;
    auto found = std::ranges::find(out, op["subject"].text(), &Deed::subject);
    if (found == out.end())
      found = out.insert(out.end(), {generation.head, std::string(op["subject"].text()), std::string(op["op"].text()),
                                     std::string(op["cause"].text())});
    if (op["op"].text() == "CreateContainer" && op["replacing"].boolean()) found->op = "recreated";
  }
  return out;
}

io::Task<std::vector<Deed>> last_deeds(Session& session, const std::string& project, std::string_view asked) {
  const auto history = co_await open_history(session, project);
  if (!history) co_return std::vector<Deed>{};
  auto numbers = history->store.numbers();
  std::ranges::reverse(numbers);
  for (const int number : numbers) {
    const auto generation = history->store.read(number, history->key);
    auto deeds = generation ? deeds_in(*generation, asked) : std::vector<Deed>{};
    if (!deeds.empty()) co_return deeds;
  }
  co_return std::vector<Deed>{};
}

std::string text_of(const Deed& deed) {
  return deed.subject + ": " + (deed.op == "recreated" ? "recreated" : "last changed (" + deed.op + ")") +
         " in generation " + std::to_string(deed.head.number) + " (" + deed.head.time + ", " + deed.head.who + ", " +
         deed.head.command + "): " + deed.cause + "\n";
}

Json json_of(const Deed& deed) {
  return Json::object({{"subject", deed.subject},
                       {"op", deed.op},
                       {"cause", deed.cause},
                       {"generation", deed.head.number},
                       {"time", deed.head.time},
                       {"who", deed.head.who},
                       {"command", deed.head.command}});
}

// The part of the plan's own JSON that is about the subject.
Json now_of(const plan::Plan& plan, std::string_view subject) {
  const Json all = plan.to_json(io::random_bytes(32));
  Json out = Json::object();
  for (const std::string_view list : {"ops", "kept", "foreign"}) {
    Json kept = Json::array();
    for (const Json& item : all[list].items())
      if (is_about(item, subject) || item["id"].text() == subject) kept.push(item);
    out.set(list, std::move(kept));
  }
  return out;
}

}  // namespace

io::Task<Result<int>> verb_explain(Session& session) {
  const auto& format = session.options.history.format;
  const auto& subject = session.options.arguments.front();
  const auto request = CO_TRY(co_await plan_request(session, {}));
  const CarryOut what{.project = request.project,
                      .planner = [&](const plan::Observed& observed,
                                     bool settled) { return request.planner(request.project, observed, settled); },
                      .owner = "explain",
                      .traffic = request.traffic.get()};
  const auto planned = CO_TRY(co_await make_plan(session, what, false));
  const auto text = planned.plan.explain(subject);
  const auto deeds = co_await last_deeds(session, request.project.name, subject);
  if (text.empty() && deeds.empty())
    co_return fail(Code::not_found, "nothing of project " + request.project.name + " is called \"" + subject +
                                        "\"; name a service, a container, network:NAME or volume:NAME");
  const auto origin = request.project.find(subject) ? request.project.origin("services." + subject).text() : "";
  if (format == "json") {
    Json past = Json::array();
    for (const auto& deed : deeds) past.push(json_of(deed));
    Json out = Json::object({{"subject", subject}, {"written_at", origin}});
    out.set("now", now_of(planned.plan, subject));
    out.set("last", std::move(past));
    session.console.print(out.dump(2) + "\n");
    co_return kDone;
  }
  session.console.print(text.empty() || text.ends_with('\n') ? text : text + "\n");
  for (const auto& deed : deeds) session.console.print(text_of(deed));
  if (!origin.empty()) session.console.print("written at " + origin + "\n");
  co_return kDone;
}

}  // namespace berth::cli
