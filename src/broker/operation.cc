#include "broker/operation.h"

#include <algorithm>
#include <cctype>

#include "base/text.h"
#include "http/text.h"
#include "http/url.h"

namespace berth::broker {
namespace {

constexpr std::string_view kLogs = "follow:b stdout:b stderr:b since:t until:t timestamps:b tail:t details:b";
constexpr std::string_view kAttach = "detachKeys:t logs:b stream:b stdin:b stdout:b stderr:b hijack:X";
constexpr std::string_view kBuild =
    "dockerfile:t t:l extrahosts:t remote:R q:b nocache:b cachefrom:j pull:t rm:b forcerm:b memory:i memswap:i "
    "cpushares:i cpusetcpus:t cpusetmems:t cpuperiod:i cpuquota:i buildargs:A shmsize:i squash:b labels:j "
    "networkmode:N "
    "platform:t target:t outputs:E version:V ulimits:j cgroupparent:E isolation:E securityopt:J session:E buildid:t";

constexpr Operation kOperations[] = {
    // The engine itself.
    {"system.ping", "GET", "/_ping"},
    {"system.ping-head", "HEAD", "/_ping"},
    {"system.version", "GET", "/version"},
    {"system.info", "GET", "/info"},
    {"system.events", "GET", "/events", "since:t until:t filters:f"},
    {"system.df", "GET", "/system/df", "type:l verbose:b"},
    {"system.auth", "POST", "/auth", "", "auth"},

    {"containers.list", "GET", "/containers/json", "all:b limit:i size:b filters:f since:t before:t trunc_cmd:X"},
    {"containers.create", "POST", "/containers/create", "name:C platform:t", "container"},
    {"containers.prune", "POST", "/containers/prune", "filters:f"},
    {"containers.inspect", "GET", "/containers/{id}/json", "size:b"},
    {"containers.top", "GET", "/containers/{id}/top", "ps_args:P"},
    {"containers.logs", "GET", "/containers/{id}/logs", kLogs},
    {"containers.changes", "GET", "/containers/{id}/changes"},
    {"containers.export", "GET", "/containers/{id}/export"},
    {"containers.stats", "GET", "/containers/{id}/stats", "stream:b one-shot:b"},
    {"containers.resize", "POST", "/containers/{id}/resize", "h:i w:i"},
    {"containers.start", "POST", "/containers/{id}/start", "detachKeys:t checkpoint:E checkpoint-dir:E"},
    {"containers.stop", "POST", "/containers/{id}/stop", "t:i signal:t"},
    {"containers.restart", "POST", "/containers/{id}/restart", "t:i signal:t"},
    {"containers.kill", "POST", "/containers/{id}/kill", "signal:t"},
    {"containers.update", "POST", "/containers/{id}/update", "", "container-update"},
    {"containers.rename", "POST", "/containers/{id}/rename", "name:C"},
    {"containers.pause", "POST", "/containers/{id}/pause"},
    {"containers.unpause", "POST", "/containers/{id}/unpause"},
    {"containers.attach", "POST", "/containers/{id}/attach", kAttach, "", Needs::tunnel},
    {"containers.attach-websocket", "GET", "/containers/{id}/attach/ws", kAttach, "", Needs::refusal},
    {"containers.wait", "POST", "/containers/{id}/wait", "condition:t"},
    {"containers.remove", "DELETE", "/containers/{id}", "v:b force:b link:b"},
    {"containers.archive-info", "HEAD", "/containers/{id}/archive", "path:t"},
    {"containers.archive-get", "GET", "/containers/{id}/archive", "path:t"},
    {"containers.archive-put", "PUT", "/containers/{id}/archive", "path:t noOverwriteDirNonDir:b copyUIDGID:b",
     "stream"},

    {"exec.create", "POST", "/containers/{id}/exec", "", "exec"},
    {"exec.start", "POST", "/exec/{id}/start", "", "exec-start", Needs::tunnel},
    {"exec.resize", "POST", "/exec/{id}/resize", "h:i w:i"},
    {"exec.inspect", "GET", "/exec/{id}/json"},

    {"images.list", "GET", "/images/json",
     "all:b filters:f filter:t digests:b shared-size:b manifests:b identity:b only_ids:b"},
    {"images.create", "POST", "/images/create", "fromImage:I fromSrc:S repo:I tag:t platform:t message:t changes:l",
     "stream"},
    {"images.inspect", "GET", "/images/{image}/json", "manifests:b platform:t"},
    {"images.history", "GET", "/images/{image}/history", "platform:t"},
    {"images.push", "POST", "/images/{image}/push", "tag:t platform:t"},
    {"images.tag", "POST", "/images/{image}/tag", "repo:I tag:t force:b"},
    {"images.remove", "DELETE", "/images/{image}", "force:b noprune:b platforms:l"},
    {"images.search", "GET", "/images/search", "term:t limit:i filters:f"},
    {"images.prune", "POST", "/images/prune", "filters:f"},
    {"images.save", "GET", "/images/{image}/get", "platform:l"},
    {"images.save-all", "GET", "/images/get", "names:l platform:l"},
    {"images.load", "POST", "/images/load", "quiet:b platform:l", "stream"},
    {"images.attestations", "GET", "/images/{image}/attestations", "platform:l type:l statement:b"},
    {"images.commit", "POST", "/commit", "container:C repo:I tag:t comment:t author:t pause:b changes:l", "config"},
    {"images.distribution", "GET", "/distribution/{image}/json"},

    {"build.build", "POST", "/build", kBuild, "stream"},
    {"build.prune", "POST", "/build/prune",
     "keep-storage:i all:b filters:f reserved-space:i max-used-space:i min-free-space:i"},

    {"networks.list", "GET", "/networks", "filters:f"},
    {"networks.inspect", "GET", "/networks/{id}", "verbose:b scope:t"},
    {"networks.create", "POST", "/networks/create", "", "network"},
    {"networks.connect", "POST", "/networks/{id}/connect", "", "network-connect"},
    {"networks.disconnect", "POST", "/networks/{id}/disconnect", "", "network-disconnect"},
    {"networks.remove", "DELETE", "/networks/{id}"},
    {"networks.prune", "POST", "/networks/prune", "filters:f"},

    {"volumes.list", "GET", "/volumes", "filters:f"},
    {"volumes.create", "POST", "/volumes/create", "", "volume"},
    {"volumes.inspect", "GET", "/volumes/{id}"},
    {"volumes.update", "PUT", "/volumes/{id}", "version:i", "stream", Needs::refusal},
    {"volumes.remove", "DELETE", "/volumes/{id}", "force:b"},
    {"volumes.prune", "POST", "/volumes/prune", "filters:f"},

    {"swarm.inspect", "GET", "/swarm"},
    {"swarm.init", "POST", "/swarm/init", "", "swarm-init"},
    {"swarm.join", "POST", "/swarm/join", "", "swarm-join"},
    {"swarm.leave", "POST", "/swarm/leave", "force:b"},
    {"swarm.update", "POST", "/swarm/update",
     "version:i rotateWorkerToken:b rotateManagerToken:b rotateManagerUnlockKey:b", "swarm"},
    {"swarm.unlock-key", "GET", "/swarm/unlockkey"},
    {"swarm.unlock", "POST", "/swarm/unlock", "", "swarm-unlock"},
    {"nodes.list", "GET", "/nodes", "filters:f"},
    {"nodes.inspect", "GET", "/nodes/{id}"},
    {"nodes.remove", "DELETE", "/nodes/{id}", "force:b"},
    {"nodes.update", "POST", "/nodes/{id}/update", "version:i", "node"},
    {"services.list", "GET", "/services", "filters:f status:b"},
    {"services.create", "POST", "/services/create", "", "service"},
    {"services.inspect", "GET", "/services/{id}", "insertDefaults:b"},
    {"services.remove", "DELETE", "/services/{id}"},
    {"services.update", "POST", "/services/{id}/update", "version:i registryAuthFrom:t rollback:t", "service"},
    {"services.logs", "GET", "/services/{id}/logs", kLogs},
    {"tasks.list", "GET", "/tasks", "filters:f"},
    {"tasks.inspect", "GET", "/tasks/{id}"},
    {"tasks.logs", "GET", "/tasks/{id}/logs", kLogs},
    {"secrets.list", "GET", "/secrets", "filters:f"},
    {"secrets.create", "POST", "/secrets/create", "", "secret"},
    {"secrets.inspect", "GET", "/secrets/{id}"},
    {"secrets.remove", "DELETE", "/secrets/{id}"},
    {"secrets.update", "POST", "/secrets/{id}/update", "version:i", "secret"},
    {"configs.list", "GET", "/configs", "filters:f"},
    {"configs.create", "POST", "/configs/create", "", "swarm-config"},
    {"configs.inspect", "GET", "/configs/{id}"},
    {"configs.remove", "DELETE", "/configs/{id}"},
    {"configs.update", "POST", "/configs/{id}/update", "version:i", "swarm-config"},

    {"plugins.list", "GET", "/plugins", "filters:f"},
    {"plugins.privileges", "GET", "/plugins/privileges", "remote:I name:I"},
    {"plugins.pull", "POST", "/plugins/pull", "remote:I name:I", "privileges"},
    {"plugins.create", "POST", "/plugins/create", "name:I", "stream"},
    {"plugins.inspect", "GET", "/plugins/{image}/json"},
    {"plugins.remove", "DELETE", "/plugins/{image}", "force:b"},
    {"plugins.enable", "POST", "/plugins/{image}/enable", "timeout:i"},
    {"plugins.disable", "POST", "/plugins/{image}/disable", "force:b"},
    {"plugins.upgrade", "POST", "/plugins/{image}/upgrade", "remote:I", "privileges"},
    {"plugins.push", "POST", "/plugins/{image}/push"},
    {"plugins.set", "POST", "/plugins/{image}/set", "", "settings"},

    // Other protocols, experiments and the engine's insides: named so that a denial can say what they are.
    {"session.session", "POST", "/session", "", "", Needs::refusal},
    {"session.grpc", "POST", "/grpc", "", "", Needs::refusal},
    {"build.cancel", "POST", "/build/cancel", "id:t", "", Needs::refusal},
    {"containers.checkpoints", "GET", "/containers/{id}/checkpoints", "dir:t", "", Needs::refusal},
    {"containers.checkpoint", "POST", "/containers/{id}/checkpoints", "", "stream", Needs::refusal},
    {"containers.copy", "POST", "/containers/{id}/copy", "", "stream", Needs::refusal},
    {"debug.vars", "GET", "/debug/vars", "", "", Needs::refusal},
    {"debug.pprof", "GET", "/debug/pprof/", "", "", Needs::refusal},
    {"debug.cmdline", "GET", "/debug/pprof/cmdline", "", "", Needs::refusal},
    {"debug.profile", "GET", "/debug/pprof/profile", "seconds:i", "", Needs::refusal},
    {"debug.symbol", "GET", "/debug/pprof/symbol", "", "", Needs::refusal},
    {"debug.trace", "GET", "/debug/pprof/trace", "seconds:i", "", Needs::refusal},
};

struct Template {
  std::string_view before, after;
  bool named = false, image = false;
};

Template template_of(std::string_view path) {
  const auto open = path.find('{'), close = path.find('}');
  if (open == std::string_view::npos) return {path, {}};
  return {path.substr(0, open), path.substr(close + 1), true, path.substr(open, 3) == "{im"};
}

bool is_alnum(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

// Only what a client must or may encode in a reference; every other escape would be a second spelling of a path.
std::optional<std::string> decode_image(std::string_view text) {
  for (std::size_t at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 1)) {
    const std::string_view hex = text.substr(at + 1, 2);
    if (hex != "40" && hex != "2F" && hex != "2f" && hex != "3A" && hex != "3a") return std::nullopt;
  }
  auto decoded = http::percent_decode(text);
  if (!decoded || !is_image_name(*decoded)) return std::nullopt;
  return *std::move(decoded);
}

std::optional<std::string> name_in(const Template& form, std::string_view path) {
  if (path.size() <= form.before.size() + form.after.size() || !path.starts_with(form.before) ||
      !path.ends_with(form.after))
    return std::nullopt;
  path.remove_prefix(form.before.size());
  path.remove_suffix(form.after.size());
  if (form.image) return decode_image(path);
  if (!is_name(path)) return std::nullopt;
  return std::string(path);
}

}  // namespace

char Operation::kind_of(std::string_view parameter) const {
  for (const std::string_view each : split(query, ' ')) {
    const Cut parts = cut_last(each, ':');
    if (parts.found && parts.before == parameter) return parts.after.front();
  }
  return 0;
}

std::span<const Operation> operations() {
  return kOperations;
}

const Operation* find_operation(std::string_view name) {
  const auto* found = std::find_if(std::begin(kOperations), std::end(kOperations),
                                   [&](const Operation& operation) { return operation.name == name; });
  return found == std::end(kOperations) ? nullptr : found;
}

std::optional<Match> match_operation(std::string_view method, std::string_view path) {
  for (const Operation& operation : kOperations)
    if (operation.method == method && operation.path == path && !template_of(path).named) return Match{&operation, {}};
  for (const Operation& operation : kOperations) {
    const Template form = template_of(operation.path);
    if (!form.named || operation.method != method) continue;
    if (auto name = name_in(form, path)) return Match{&operation, *std::move(name)};
  }
  return std::nullopt;
}

std::string path_of(const Match& match) {
  const Template form = template_of(match.operation->path);
  return std::string(form.before) + match.name + std::string(form.after);
}

bool is_name(std::string_view text) {
  if (text.empty() || text.size() > 255 || !is_alnum(text.front())) return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return is_alnum(c) || c == '_' || c == '.' || c == '-'; });
}

bool is_image_name(std::string_view text) {
  constexpr std::string_view kDividers = "/:@";
  if (text.empty() || text.size() > 512 || !is_alnum(text.front()) || kDividers.contains(text.back())) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool divides = kDividers.contains(text[i]);
    if (!divides && !is_alnum(text[i]) && text[i] != '_' && text[i] != '.' && text[i] != '-') return false;
    // "a//b" and "a/../b" are other paths to the engine.
    if (divides && (kDividers.contains(text[i + 1]) || text[i + 1] == '.')) return false;
  }
  return true;
}

}  // namespace berth::broker
