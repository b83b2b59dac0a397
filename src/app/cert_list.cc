#include "app/cert_list.h"

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "base/text.h"
#include "edge/acme_store.h"
#include "edge/certificate.h"
#include "io/file.h"
#include "io/loop.h"
#include "io/ownership.h"
#include "io/scope.h"

namespace berth::app {
namespace {

using std::chrono::seconds;
using Time = std::chrono::sys_seconds;

constexpr std::string_view kLocal = "local CA";

struct Line {
  std::string id;  ///< "" for one of the local CA
  edge::AcmeState state;
  std::optional<edge::Certificate> certificate;
};

Time wall_now() {
  return std::chrono::floor<seconds>(std::chrono::system_clock::now());
}

Result<edge::AcmeStore> open_store(const std::string& data) {
  const std::string folder = data + "/acme";
  if (auto listed = io::list_folder(folder); !listed) {
    if (listed.error().code == Code::denied) return fail(listed.error());
    return fail(Code::not_found, folder + " does not exist; start berth serve once, or name its --data");
  }
  return edge::AcmeStore::open(folder);
}

std::vector<Line> lines_of(const edge::AcmeStore& store) {
  std::vector<Line> out;
  for (const std::string& id : store.ids()) {
    auto state = store.state(id);
    if (!state) continue;
    auto certificate = store.certificate(id);
    out.push_back({.id = id,
                   .state = std::move(*state),
                   .certificate = certificate ? std::optional(std::move(*certificate)) : std::nullopt});
  }
  return out;
}

/// Those of the local CA for hosts that no CA has signed for.
void add_local(const std::string& data, std::vector<Line>& lines) {
  const std::string folder = data + "/certificates";
  const auto names = io::list_folder(folder);
  if (!names) return;
  const std::size_t count = lines.size();
  for (const std::string& name : *names) {
    if (!name.starts_with("leaf-") || !name.ends_with(".pem")) continue;
    const std::string base = folder + "/" + name.substr(0, name.size() - 4);
    const auto chain = io::read_file(base + ".pem"), key = io::read_file(base + ".key");
    if (!chain || !key) continue;
    auto certificate = edge::load_certificate(*chain, *key);
    if (!certificate) continue;
    const bool replaced =
        std::any_of(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(count), [&](auto& line) {
          return line.certificate && std::ranges::any_of(line.certificate->hosts, [&](const std::string& host) {
                   return edge::covers(host, certificate->hosts.front());
                 });
        });
    if (replaced) continue;
    lines.push_back({.id = {},
                     .state = {.hosts = certificate->hosts, .resolver = {}, .issuer = std::string(kLocal)},
                     .certificate = std::move(*certificate)});
  }
}

Time renewal_of(const Line& line) {
  const edge::Certificate& own = *line.certificate;
  const double jitter =
      line.id.empty() ? 0 : edge::spread(line.id + std::to_string(own.not_after.time_since_epoch().count()));
  return edge::renewal_time(own.not_before, own.not_after, line.state.window, jitter);
}

std::string text_of(Time time) {
  const std::time_t count = time.time_since_epoch().count();
  std::tm parts{};
  ::gmtime_r(&count, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

Json json_of(const Line& line) {
  Json hosts = Json::array();
  for (const std::string& host : line.state.hosts) hosts.push(host);
  Json json = Json::object({{"id", line.id},
                            {"hosts", std::move(hosts)},
                            {"resolver", line.state.resolver},
                            {"issuer", line.state.issuer},
                            {"error", line.state.error}});
  if (line.certificate) {
    json.set("not_before", text_of(line.certificate->not_before));
    json.set("not_after", text_of(line.certificate->not_after));
    json.set("renewal", text_of(renewal_of(line)));
  }
  if (!line.state.error.empty()) json.set("next_try", text_of(line.state.next_try));
  return json;
}

void print_table(const std::vector<Line>& lines) {
  std::size_t width = 5;
  for (const Line& line : lines) width = std::max(width, join(line.state.hosts, ",").size());
  const auto row = [&](const std::string& hosts, std::string_view issuer, std::string_view expires,
                       const std::string& state) {
    std::printf("%-*s  %-12.*s  %-20.*s  %s\n", static_cast<int>(width), hosts.c_str(), static_cast<int>(issuer.size()),
                issuer.data(), static_cast<int>(expires.size()), expires.data(), state.c_str());
  };
  row("HOSTS", "ISSUER", "EXPIRES", "STATE");
  for (const Line& line : lines) {
    const std::string error =
        line.state.error.empty() ? "" : line.state.error + "; again " + text_of(line.state.next_try);
    const std::string good = line.certificate ? "renewal " + text_of(renewal_of(line)) : "ordering";
    row(join(line.state.hosts, ","), line.state.issuer.empty() ? line.state.resolver : line.state.issuer,
        line.certificate ? text_of(line.certificate->not_after) : "-", error.empty() ? good : "failed: " + error);
  }
}

bool concerns(const Line& line, const std::vector<std::string>& hosts) {
  return hosts.empty() || std::ranges::any_of(hosts, [&](const std::string& host) {
           return std::ranges::count(line.state.hosts, lower(host)) > 0;
         });
}

bool needs_it(const Line& line) {
  return !line.certificate || !line.state.error.empty() || renewal_of(line) <= wall_now();
}

/// Until core has taken the wish and has come to an end with it.
io::Task<Result<void>> await_outcome(const edge::AcmeStore& store, Line before) {
  const std::string wish = store.wishes() + "/" + before.id;
  for (int i = 0;; ++i) {
    CO_TRY(co_await io::sleep_for(std::chrono::milliseconds(200)));
    if (i == 50 && io::exists(wish))
      co_return fail(Code::unavailable, "no berth serve runs with this data folder; it renews when it starts");
    const auto certificate = store.certificate(before.id);
    if (certificate && (!before.certificate || certificate->chain != before.certificate->chain))
      co_return Result<void>{};
    const auto state = store.state(before.id);
    if (state && state->failures > before.state.failures) co_return fail(Code::unavailable, state->error);
  }
}

Result<void> tell(const Line& line, const Result<void>& outcome) {
  const std::string hosts = join(line.state.hosts, ", ");
  if (outcome) {
    std::fprintf(stderr, "%s: renewed\n", hosts.c_str());
    return {};
  }
  const std::string why = outcome.error().code == Code::timeout
                              ? "not done within two minutes; berth cert list shows what it comes to"
                              : outcome.error().message;
  return fail(outcome.error().code, hosts + ": " + why);
}

}  // namespace

Result<Json> certificates_json(const std::string& data) {
  auto lines = lines_of(TRY(open_store(data)));
  add_local(data, lines);
  Json all = Json::array();
  for (const Line& line : lines) all.push(json_of(line));
  return all;
}

Result<void> wish_certificate(const std::string& data, const std::string& host) {
  const auto store = TRY(open_store(data));
  for (const Line& line : lines_of(store))
    if (concerns(line, {host})) {
      TRY(store.wish_renewal(line.id));
      return io::settle_folder(data, {"edge", "projects"});  // core takes the wish away
    }
  return fail(Code::not_found, "there is no certificate of a CA for " + host + "; berth cert list shows them");
}

Result<void> list_certificates(const std::string& data, bool json) {
  if (json) {
    std::printf("%s\n", TRY(certificates_json(data)).dump(2).c_str());
    return {};
  }
  auto lines = lines_of(TRY(open_store(data)));
  add_local(data, lines);
  print_table(lines);
  return {};
}

Result<void> renew_certificates(const std::string& data, const std::vector<std::string>& hosts, bool force) {
  const auto store = TRY(open_store(data));
  std::vector<Line> lines = lines_of(store);
  for (const std::string& host : hosts)
    if (std::ranges::none_of(lines, [&](const Line& line) { return concerns(line, {host}); }))
      return fail(Code::not_found, "there is no certificate of a CA for " + host + "; berth cert list shows them");
  std::erase_if(lines, [&](const Line& line) { return !concerns(line, hosts) || !(force || needs_it(line)); });
  if (lines.empty()) {
    std::fputs("Nothing is due; --force renews all the same.\n", stderr);
    return {};
  }
  for (const Line& line : lines) TRY(store.wish_renewal(line.id));
  io::Loop loop;
  Result<void> outcome;
  for (const Line& line : lines) {
    auto told = tell(line, loop.run(io::within(std::chrono::minutes(2), await_outcome(store, line))));
    if (told) continue;
    // The caller prints the last one.
    if (!outcome) std::fprintf(stderr, "berth cert: %s\n", outcome.error().message.c_str());
    outcome = std::move(told);
  }
  return outcome;
}

}  // namespace berth::app
