#include "cli/containers.h"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "base/units.h"
#include "engine/container.h"

namespace berth::cli {
namespace {

int number_of(std::string_view text) {
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

bool is_number(std::string_view text) {
  return !text.empty() && text.front() >= '0' && text.front() <= '9' &&
         text.find_first_not_of("0123456789.") == std::string_view::npos;
}

}  // namespace

std::string_view Listed::short_name() const {
  const std::string_view view = name;
  const bool prefixed = view.size() > project.size() + 1 && view.starts_with(project) && view[project.size()] == '-';
  return prefixed ? view.substr(project.size() + 1) : view;
}

std::string_view Listed::health() const {
  const auto status = summary["Status"].text();
  if (status.contains("(healthy)")) return "healthy";
  if (status.contains("(unhealthy)")) return "unhealthy";
  return status.contains("(health: starting)") ? "starting" : "";
}

int Listed::exit_code() const {
  const auto status = summary["Status"].text();  // "Exited (137) 2 minutes ago"
  const auto open = status.find('(');
  return status.starts_with("Exited") && open != std::string_view::npos ? number_of(status.substr(open + 1)) : 0;
}

Listed parse_listed(const Json& summary) {
  const auto& labels = summary["Labels"];
  const auto label = [&](std::string_view key) { return labels[key].text(); };
  Listed out{.id = std::string(summary["Id"].text()),
             .project = std::string(label(plan::label::kProject)),
             .service = std::string(label(plan::label::kService)),
             .number = number_of(label(plan::label::kNumber)),
             .oneoff = equal_fold(label(plan::label::kOneoff), "true"),
             .state = plan::parse_state(summary["State"].text()),
             .summary = summary};
  // A linked container has further names below other containers'.
  for (const auto& name : summary["Names"].items())
    if (name.text().rfind('/') == 0) out.name = std::string(name.text().substr(1));
  return out;
}

io::Task<Result<std::vector<Listed>>> list_project(Session& session, std::string project, ListWish wish) {
  auto& client = *CO_TRY(co_await session.engine());
  const auto label = std::string(plan::label::kProject) + "=" + project;
  const auto reply = CO_TRY(co_await engine::list_containers(client, {.all = wish.all, .filters = {{"label", label}}}));
  std::vector<Listed> out;
  for (const auto& summary : reply.items()) {
    auto one = parse_listed(summary);
    const bool asked = wish.services.empty() || contains(wish.services, one.service);
    if (asked && (wish.oneoffs || !one.oneoff)) out.push_back(std::move(one));
  }
  std::ranges::sort(out, {}, [](const Listed& one) { return std::tie(one.service, one.number, one.name); });
  co_return out;
}

io::Task<Result<Listed>> pick_container(Session& session, const compose::Project& project, std::string service,
                                        std::int64_t number) {
  const auto list = CO_TRY(co_await list_project(session, project.name, {.services = {service}}));
  if (list.empty())
    co_return fail(Code::not_found,
                   "service \"" + service + "\" has no container; berth up -d " + service + " makes one");
  for (const auto& one : list) {
    const bool right = number > 0 ? one.number == number : plan::is_up(one.state);
    if (right) co_return one;
  }
  if (number > 0)
    co_return fail(Code::not_found, "service \"" + service + "\" has no container number " + std::to_string(number));
  co_return fail(Code::not_found, "service \"" + service + "\" is not running; berth up -d " + service + " starts it");
}

std::string age_text(std::chrono::seconds age) {
  const auto seconds = age.count();
  const auto minutes = seconds / 60;
  const auto hours = (seconds + 1800) / 3600;
  if (seconds < 1) return "Less than a second";
  if (seconds == 1) return "1 second";
  if (seconds < 60) return fmt::format("{} seconds", seconds);
  if (minutes == 1) return "About a minute";
  if (minutes < 60) return fmt::format("{} minutes", minutes);
  if (hours == 1) return "About an hour";
  if (hours < 48) return fmt::format("{} hours", hours);
  if (hours < 24 * 7 * 2) return fmt::format("{} days", hours / 24);
  if (hours < 24 * 30 * 2) return fmt::format("{} weeks", hours / 24 / 7);
  if (hours < 24 * 365 * 2) return fmt::format("{} months", hours / 24 / 30);
  return fmt::format("{} years", hours / 24 / 365);
}

std::string ports_text(const Json& ports) {
  std::vector<std::tuple<std::int64_t, bool, std::string>> out;
  for (const auto& port : ports.items()) {
    const auto type = port["Type"].text();
    const auto inner = port["PrivatePort"].integer();
    const auto outer = port["PublicPort"].integer();
    const auto address = port["IP"].text();
    if (outer == 0)
      out.emplace_back(inner, false, fmt::format("{}/{}", inner, type));
    else
      out.emplace_back(inner, address.contains(':'), fmt::format("{}:{}->{}/{}", address, outer, inner, type));
  }
  std::ranges::sort(out);
  std::vector<std::string> texts;
  for (auto& [port, six, text] : out) texts.push_back(std::move(text));
  return join(texts, ", ");
}

std::string time_text(std::int64_t seconds) {
  const std::time_t time = seconds;
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  char text[40];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S +0000 UTC", &parts);
  return text;
}

Result<std::string> time_parameter(std::string_view text, std::chrono::system_clock::time_point now) {
  if (text.empty() || is_number(text)) return std::string(text);
  if (const auto age = parse_duration(text)) {
    const auto time = (now - *age).time_since_epoch();
    const auto nanos = std::chrono::duration_cast<std::chrono::nanoseconds>(time).count();
    return fmt::format("{}.{:09}", nanos / 1'000'000'000, nanos % 1'000'000'000);
  }
  std::tm parts{};
  std::string form(text);
  const char* end = nullptr;
  for (const char* pattern : {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d"}) {
    parts = {};
    end = ::strptime(form.c_str(), pattern, &parts);
    if (end) break;
  }
  if (!end) return fail(Code::invalid, "time \"" + form + "\": write 2026-01-02T15:04:05Z or an age such as 42m");
  std::string fraction;
  std::string_view rest = end;
  if (rest.starts_with('.')) {
    const auto digits = rest.substr(0, rest.find_first_not_of("0123456789", 1));
    fraction = digits;
    rest.remove_prefix(digits.size());
  }
  std::int64_t shift = 0;
  if (rest.size() == 6 && (rest[0] == '+' || rest[0] == '-') && rest[3] == ':')
    shift = (rest[0] == '+' ? 1 : -1) * (number_of(rest.substr(1, 2)) * 3600 + number_of(rest.substr(4, 2)) * 60);
  else if (!rest.empty() && rest != "Z")
    return fail(Code::invalid, "time \"" + form + "\": write 2026-01-02T15:04:05Z or an age such as 42m");
  return std::to_string(::timegm(&parts) - shift) + fraction;
}

}  // namespace berth::cli
