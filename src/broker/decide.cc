#include "broker/decide.h"

#include <algorithm>

#include "base/text.h"
#include "broker/bind.h"
#include "broker/scope.h"
#include "http/url.h"

namespace berth::broker {
namespace {

constexpr std::string_view kProjectLabel = "com.docker.compose.project";

Verdict deny(std::string_view rule, std::string message, int status = 403) {
  Verdict verdict;
  verdict.status = status;
  verdict.rule = rule;
  verdict.message = std::move(message);
  return verdict;
}

struct Versioned {
  std::optional<int> minor{};
  std::string_view path{};
};

// "/v1.41" in front: one digit, a dot, two digits, nothing else.
Versioned split_version(std::string_view path) {
  const auto digit = [&](std::size_t at) { return path[at] >= '0' && path[at] <= '9'; };
  const bool has =
      path.size() > 6 && path.starts_with("/v1.") && path[4] != '0' && digit(4) && digit(5) && path[6] == '/';
  if (!has) return {{}, path};
  return {(path[4] - '0') * 10 + (path[5] - '0'), path.substr(6)};
}

std::optional<Verdict> check_version(std::optional<int> minor, const Versions& versions) {
  if (!minor) return std::nullopt;
  const std::string asked = "client version 1." + std::to_string(*minor);
  if (*minor > versions.newest)
    return deny("version", asked + " is too new. Maximum supported API version is 1." + std::to_string(versions.newest),
                400);
  if (*minor < versions.oldest)
    return deny("version",
                asked + " is too old. Minimum supported API version is 1." + std::to_string(versions.oldest) +
                    ", please upgrade your client to a newer version",
                400);
  return std::nullopt;
}

std::optional<Verdict> check_headers(const Asked& asked) {
  if (asked.from_browser) return deny("browser", "requests of web pages are not served");
  if (!asked.content_encoding.empty()) return deny("content-encoding", "encoded bodies are not read");
  if (asked.target.empty() || asked.target.front() != '/')
    return deny("path", "the request's target has to begin with a slash", 400);
  return std::nullopt;
}

bool is_json(std::string_view content_type) {
  const std::string type = lower(trim(cut(content_type, ';').before));
  return type == "application/json";
}

bool are_open(const Policy& policy, const std::vector<std::string>& images) {
  return std::all_of(images.begin(), images.end(), [&](const std::string& image) {
    return std::find(policy.registries.begin(), policy.registries.end(), registry_of(image)) != policy.registries.end();
  });
}

// Images by reference: the host that the engine would ask. A Dockerfile, which the broker does not read, names any.
bool registry_is_open(const Policy& policy, const Verdict& verdict) {
  if (policy.registries.empty()) return true;
  const std::string_view name = verdict.match.operation->name;
  if (name == "build.build") return false;
  std::vector<std::string> images;
  for (const auto& [key, value] : verdict.query)
    if ((key == "fromImage" || key == "remote") && !value.empty()) images.push_back(value);
  if (name == "images.push" || name == "images.distribution") images.push_back(verdict.match.name);
  return are_open(policy, images);
}

// "https://index.docker.io/v1/" of a sign-in: where the engine would send the password.
std::string host_of(std::string_view address) {
  if (const auto scheme = address.find("://"); scheme != std::string_view::npos) address.remove_prefix(scheme + 3);
  const std::string host(cut(address, '/').before);
  return host.empty() || host == "index.docker.io" ? "docker.io" : host;
}

// The same of what a body names.
bool body_is_open(const Policy& policy, const Operation& operation, const Json& body) {
  if (policy.registries.empty()) return true;
  const auto& open = policy.registries;
  if (operation.body == "auth")
    return std::find(open.begin(), open.end(), host_of(body["serveraddress"].text())) != open.end();
  if (operation.body != "service") return true;
  const std::string_view image = body.at("TaskTemplate.ContainerSpec.Image").text();
  return image.empty() || are_open(policy, {std::string(image)});
}

bool is_front_of_id(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// Networks that may be the host's under its id. A swarm has ids of other letters too: of services they are all looked
// at.
std::vector<std::string> networks_of(const Operation& operation, const Json& body) {
  std::vector<std::string> out;
  if (operation.body == "container") {
    const auto mode = body.at("HostConfig.NetworkMode").text();
    if (is_front_of_id(mode)) out.emplace_back(mode);
    for (const auto& [name, endpoint] : body.at("NetworkingConfig.EndpointsConfig").members())
      if (is_front_of_id(name)) out.push_back(name);
  }
  if (operation.body != "service") return out;
  for (const Json* list : {&body["Networks"], &body.at("TaskTemplate.Networks")})
    for (const Json& each : list->items())
      if (const auto target = each["Target"].text(); !target.empty()) out.emplace_back(target);
  return out;
}

bool is_granted(const Policy& policy, const Finding& finding, std::string_view project) {
  const auto covered = [&](const std::string& grant) { return covers(grant, finding); };
  if (std::any_of(policy.grants.begin(), policy.grants.end(), covered)) return true;
  return std::any_of(policy.exceptions.begin(), policy.exceptions.end(), [&](const Exception& each) {
    return !project.empty() && each.project == project && covers(each.field, finding);
  });
}

// A bind is two questions: may this path be shown at all, and is it below a root.
Findings refine(const Policy& policy, const Finding& finding) {
  if (finding.rule != "binds") return {finding};
  Findings out;
  if (shows_hidden(finding.value, always_hidden()) || shows_hidden(finding.value, policy.hidden))
    out.push_back({"hidden-paths", finding.value, finding.where});
  const bool rooted = std::any_of(policy.roots.begin(), policy.roots.end(),
                                  [&](const std::string& root) { return is_beneath(finding.value, root); });
  if (!rooted && out.empty()) out.push_back(finding);
  return out;
}

std::string message_of(const Finding& finding) {
  std::string out = finding.where + ": " + finding.rule;
  if (!finding.value.empty()) out += " (" + finding.value + ")";
  return out + " is not granted by the policy";
}

Verdict deny_finding(const Finding& finding) {
  return deny(finding.rule, message_of(finding));
}

}  // namespace

std::string Verdict::target(const Versions& versions) const {
  std::string out = "/v1." + std::to_string(versions.newest) + path_of(match);
  if (!query.empty()) out += "?" + http::encode_query(query);
  return out;
}

bool streams_body(const Operation& operation) {
  return operation.body == "stream";
}

bool looks_compressed(std::string_view front) {
  using namespace std::string_view_literals;
  constexpr std::string_view kMagic[] = {"\x1F\x8B"sv,
                                         "BZh"sv,
                                         "\xFD"
                                         "7zXZ"sv,
                                         "\x5D\x00\x00"sv,
                                         "\x28\xB5\x2F\xFD"sv,
                                         "\x04\x22\x4D\x18"sv};
  // A frame of zstd that is skipped (RFC 8878, 3.1.2) may come first.
  if (front.size() > 3 && (front[0] & 0xF0) == 0x50 && front.substr(1, 3) == "\x2A\x4D\x18") return true;
  return std::any_of(std::begin(kMagic), std::end(kMagic),
                     [&](std::string_view magic) { return front.starts_with(magic); });
}

Findings denied_by(const Policy& policy, const Findings& findings, std::string_view project) {
  Findings out;
  for (const Finding& finding : findings)
    for (Finding& each : refine(policy, finding))
      if (!is_granted(policy, each, project)) out.push_back(std::move(each));
  return out;
}

Verdict decide_head(const Policy& policy, const Versions& versions, const Asked& asked) {
  if (auto refused = check_headers(asked)) return *std::move(refused);
  const Cut parts = cut(asked.target, '?');
  const Versioned versioned = split_version(parts.before);
  auto match = match_operation(asked.method, versioned.path);
  if (!match) return deny("unknown", "this is not an operation of the engine's API that the broker knows");
  const Operation& operation = *match->operation;
  if (operation.needs == Needs::refusal)
    return deny("operation", std::string(operation.name) + " is carried for nobody");
  if (!policy.allows(operation))
    return deny("operation", std::string(operation.name) + " is not allowed by the policy " + policy.name);
  if (auto refused = check_version(versioned.minor, versions)) return *std::move(refused);
  if (asked.wants_upgrade && operation.needs != Needs::tunnel)
    return deny("upgrade", std::string(operation.name) + " has no other protocol to change to");
  Findings findings;
  auto query = read_query(operation, parts.after, findings);
  if (!query) return deny("query", query.error().message);
  for (const Finding& finding : denied_by(policy, findings, "")) return deny_finding(finding);
  Verdict verdict;
  verdict.match = *std::move(match);
  verdict.client = versioned.minor;
  verdict.query = *std::move(query);
  if (!registry_is_open(policy, verdict)) return deny("registries", "images may not come from or go to that registry");
  if (leaks_others(policy, operation))
    return deny("labels", std::string(operation.name) + " shows what the policy's labels keep apart");
  scope_head(policy, verdict);
  const bool parsed = asked.has_body && !streams_body(operation) && !operation.body.empty();
  if (parsed && !is_json(asked.content_type)) return deny("content-type", "a body has to be application/json", 400);
  return verdict;
}

Verdict decide_body(const Policy& policy, Verdict head, std::string_view text) {
  const Operation& operation = *head.match.operation;
  if (text.size() > policy.body_limit) return deny("body-limit", "the request's body is too long", 413);
  if (operation.body.empty()) {
    if (says_nothing(operation, text)) return head;
    return deny("body", std::string(operation.name) + " has no body");
  }
  auto examined = examine(operation, text);
  if (!examined) return deny("body", examined.error().message);
  const auto labels = labels_of(operation.body, examined->body);
  const auto project = labels.find(std::string(kProjectLabel));
  const auto denied = denied_by(policy, examined->findings, project == labels.end() ? "" : project->second);
  if (!denied.empty()) return deny_finding(denied.front());
  for (const Finding& each : examined->findings)
    if (each.rule == "binds") head.binds.push_back(each.value);
  if (!body_is_open(policy, operation, examined->body))
    return deny("registries", "images may not come from or go to that registry");
  head.networks = networks_of(operation, examined->body);
  scope_body(policy, examined->body, head);
  head.body = examined->body.dump();
  return head;
}

}  // namespace berth::broker
