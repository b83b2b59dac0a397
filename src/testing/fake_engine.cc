// One call of the fake engine, from the request to the reply: version, record, fault, route.
#include "testing/fake_engine.h"

#include <cstdio>

#include "base/text.h"
#include "http/url.h"
#include "testing/fake_front.h"
#include "testing/fake_route.h"

namespace berth::testing {
namespace {

struct Target {
  std::string version{};  // "1.41"
  std::string path{};     // still encoded, below the version
  std::string query{};
};

Target parse_target(std::string_view text) {
  const Cut parts = cut(text, '?');
  Target target{.path = std::string(parts.before), .query = std::string(parts.after)};
  if (!parts.before.starts_with("/v")) return target;
  const std::size_t end = parts.before.find('/', 1);
  const std::string_view version = parts.before.substr(2, end == parts.before.npos ? end : end - 2);
  if (version.empty() || version.find_first_not_of("0123456789.") != version.npos) return target;
  target.version = version;
  target.path = end == parts.before.npos ? "/" : parts.before.substr(end);
  return target;
}

std::string decode(std::string_view text) {
  return http::percent_decode(text).value_or(std::string(text));
}

// What stands for the {}s of the pattern, or nothing when it does not match.
std::optional<std::vector<std::string>> match(const FakeRoute& route, std::string_view path) {
  const auto pattern = split(route.pattern, '/');
  auto parts = split(path, '/');
  if (route.rest && parts.size() > pattern.size()) {  // a name with slashes stands where the {} is
    const auto hole = static_cast<std::size_t>(std::ranges::find(pattern, "{}") - pattern.begin());
    const std::size_t extra = parts.size() - pattern.size();
    const char* end = parts[hole + extra].data() + parts[hole + extra].size();
    parts[hole] = std::string_view(parts[hole].data(), static_cast<std::size_t>(end - parts[hole].data()));
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(hole) + 1,
                parts.begin() + static_cast<std::ptrdiff_t>(hole + extra) + 1);
  }
  if (parts.size() != pattern.size()) return std::nullopt;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (pattern[i] == "{}" && !parts[i].empty()) {
      names.push_back(decode(parts[i]));
    } else if (pattern[i] != parts[i]) {
      return std::nullopt;
    }
  }
  return names;
}

const FakeRoute* find_route(std::string_view method, std::string_view path, std::vector<std::string>& names) {
  for (const auto* routes :
       {&container_routes(), &create_routes(), &lifecycle_routes(), &output_routes(), &archive_routes(), &exec_routes(),
        &pull_routes(), &image_routes(), &build_routes(), &network_routes(), &volume_routes(), &system_routes()}) {
    for (const FakeRoute& route : *routes) {
      if (route.method != method) continue;
      if (auto found = match(route, path)) {
        names = std::move(*found);
        return &route;
      }
    }
  }
  return nullptr;
}

// The engine's words for a version that it does not speak.
std::optional<FakeReply> refuse_version(const FakeState& state, engine::ApiVersion asked) {
  if (asked > state.api)
    return refuse(
        400, "client version " + asked.text() + " is too new. Maximum supported API version is " + state.api.text());
  if (asked >= state.oldest) return std::nullopt;
  const std::string message = "client version " + asked.text() + " is too old. Minimum supported API version is " +
                              state.oldest.text() + ", please upgrade your client to a newer version";
  if (asked >= engine::ApiVersion{1, 23}) return refuse(400, message);
  return FakeReply{.status = 400, .headers = {{"Content-Type", "text/plain; charset=utf-8"}}, .body = message + "\n"};
}

FakeReply route_call(FakeState& state, const FakeRequest& request, const FakeCall& call) {
  const Target target = parse_target(request.target);
  engine::ApiVersion asked = state.api;
  if (!target.version.empty()) {
    const auto parsed = engine::parse_api_version(target.version);
    if (!parsed) return refuse(400, "invalid version: " + target.version);
    asked = *parsed;
  }
  if (auto refusal = refuse_version(state, asked)) return *refusal;
  if (state.options.pinned) asked = state.api;
  FakeArgs args{.request = request, .body = call.body, .version = asked, .entries = call.entries};
  if (auto query = http::decode_query(target.query)) args.query = std::move(*query);
  const FakeRoute* route = find_route(request.method, target.path, args.names);
  if (!route) return refuse(404, "page not found");
  FakeReply reply = route->handler(state, args);
  leave_out_gone(asked, route->pattern, reply);
  return reply;
}

FakeCall record(const FakeRequest& request) {
  const Target target = parse_target(request.target);
  FakeCall call{.method = request.method,
                .version = target.version,
                .path = decode(target.path),
                .query = target.query,
                .headers = request.headers,
                .size = request.body.size()};
  if (request.body.starts_with('{') || request.body.starts_with('['))
    call.body = parse_json(request.body).value_or(Json());
  const bool has_tar = request.method == "PUT" || target.path == "/build" || target.path == "/images/load";
  if (const auto entries = has_tar ? read_tar(request.body) : std::nullopt)
    for (const FakeEntry& entry : *entries) call.entries.push_back(entry.name);
  return call;
}

std::optional<FakeFault> take_fault(FakeState& state, const FakeCall& call) {
  for (FakeFaultState& known : state.faults) {
    const FakeFault& fault = known.fault;
    if (!glob(fault.method, call.method) || !glob(fault.path, call.path)) continue;
    if (known.seen++ < fault.skip || (fault.times >= 0 && known.hit >= fault.times)) continue;
    ++known.hit;
    return fault;
  }
  if (!state.decide_fault || state.deciding) return std::nullopt;
  state.deciding = true;
  auto fault = state.decide_fault(FakeCall(call));  // a copy: it may make calls itself
  state.deciding = false;
  return fault;
}

FakeContainer& existing(FakeState& state, std::string_view name) {
  if (FakeContainer* container = state.find_container(name)) return *container;
  std::fprintf(stderr, "fake engine: there is no container %.*s\n", static_cast<int>(name.size()), name.data());
  std::abort();
}

}  // namespace

Json FakeReply::json() const {
  return parse_json(body).value_or(Json());
}

std::string FakeCall::text() const {
  return method + " " + path + (query.empty() ? "" : "?" + query);
}

FakeAdmitted admit(FakeState& state, const FakeRequest& request) {
  state.calls.push_back(record(request));
  return {state.forgotten + state.calls.size() - 1, take_fault(state, state.calls.back())};
}

FakeReply perform(FakeState& state, const FakeRequest& request, const FakeAdmitted& admitted) {
  state.agenda.advance({});
  const bool known = admitted.serial >= state.forgotten;
  FakeCall* call = known ? &state.calls[admitted.serial - state.forgotten] : nullptr;
  const auto& fault = admitted.fault;
  FakeReply reply;
  const bool wrong = fault && (fault->drop || fault->status != 0);
  if (!wrong || fault->done) reply = route_call(state, request, call ? *call : record(request));
  if (wrong) {
    reply = fault->drop ? FakeReply{.status = 0} : refuse(fault->status, fault->message);
  }
  if (known) state.calls[admitted.serial - state.forgotten].status = reply.status;
  reply.headers.emplace_back("Api-Version", state.api.text());
  reply.headers.emplace_back("Docker-Experimental", "false");
  reply.headers.emplace_back("Ostype", "linux");
  reply.headers.emplace_back("Server", "Docker/" + state.options.version + " (linux)");
  return reply;
}

FakeEngine::FakeEngine(io::Loop& loop, FakeEngineOptions options)
    : state_(std::make_shared<FakeState>(loop, std::move(options))), front_(std::make_shared<Front>(loop, state_)) {}

FakeEngine::~FakeEngine() {
  front_->shut();
}

void FakeEngine::add_image(std::string_view reference, FakeImage image) {
  store_image(*state_, reference, std::move(image));
}
void FakeEngine::add_remote(std::string_view reference, FakeRemote remote) {
  state_->remotes[full_reference(reference).value_or(std::string(reference))] = std::move(remote);
}
void FakeEngine::on_build(FakeBuild build) {
  state_->builds.push_back(std::move(build));
}
void FakeEngine::on_exec(FakeExec exec) {
  state_->exec_scripts.push_back(std::move(exec));
}
void FakeEngine::behave(std::string pattern, FakeProcess process) {
  state_->behaviours.emplace_back(std::move(pattern), std::move(process));
}

FakeReply FakeEngine::handle(const FakeRequest& request) {
  const FakeAdmitted admitted = admit(*state_, request);
  FakeReply reply = perform(*state_, request, admitted);
  if (admitted.fault) reply.wait += admitted.fault->delay;
  return reply;
}

std::unique_ptr<io::Dialer> FakeEngine::dialer() {
  return make_dialer(front_);
}
io::Task<Result<void>> FakeEngine::serve_unix(std::string path) {
  return front_->serve_unix(std::move(path));
}
io::Task<void> FakeEngine::close() {
  return front_->close();
}

void FakeEngine::advance(io::Duration duration) {
  state_->agenda.advance(duration);
}
void FakeEngine::exit(std::string_view container, int status) {
  end_process(*state_, existing(*state_, container), status);
}
void FakeEngine::set_health(std::string_view container, std::string_view status) {
  testing::set_health(*state_, existing(*state_, container), status);
}
void FakeEngine::log(std::string_view container, std::string_view text, bool err) {
  write_output(*state_, existing(*state_, container), text, err);
}
std::optional<std::string> FakeEngine::file(std::string_view container, std::string_view path) const {
  const auto& files = existing(*state_, container).files;
  const auto found = files.find(std::string(path));
  return found == files.end() ? std::nullopt : std::optional(found->second);
}

std::vector<Json> FakeEngine::containers() const {
  std::vector<Json> out;
  for (const FakeContainer& container : state_->containers) out.push_back(container_inspect(*state_, container));
  return out;
}
std::vector<Json> FakeEngine::networks() const {
  std::vector<Json> out;
  for (const FakeNetwork& network : state_->networks) out.push_back(network_inspect(*state_, network));
  return out;
}
std::vector<Json> FakeEngine::volumes() const {
  std::vector<Json> out;
  for (const FakeVolume& volume : state_->volumes) out.push_back(volume.body);
  return out;
}

void FakeEngine::inject(FakeFault fault) {
  state_->faults.push_back({.fault = std::move(fault)});
}
void FakeEngine::on_call(std::function<std::optional<FakeFault>(const FakeCall&)> decide) {
  state_->decide_fault = std::move(decide);
}
void FakeEngine::refuse_connections(bool refuse) {
  front_->refuse(refuse);
}
void FakeEngine::drop_connections() {
  front_->drop();
}

void FakeEngine::restart() {
  front_->drop();
  std::vector<std::string> again;
  for (FakeContainer& container : state_->containers) {
    if (!container.up()) continue;
    const std::string_view policy = container.host["RestartPolicy"]["Name"].text();
    if (policy == "always" || policy == "unless-stopped") again.push_back(container.id);
    container.stopped_by_hand = true;  // the daemon starts it again itself
    end_process(*state_, container, container.process.ignores_stop ? 137 : container.process.stop_code);
  }
  state_->execs.clear();
  state_->events.clear();
  for (FakeVolume& volume : state_->volumes) volume.asleep = true;
  for (const std::string& id : again)
    if (FakeContainer* container = state_->container_by_id(id)) static_cast<void>(start_container(*state_, *container));
}

const std::vector<FakeCall>& FakeEngine::calls() const {
  return state_->calls;
}
void FakeEngine::forget_calls() {
  state_->forgotten += state_->calls.size();
  state_->calls.clear();
}
std::size_t FakeEngine::count(std::string_view method, std::string_view path) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      state_->calls, [&](const FakeCall& call) { return glob(method, call.method) && glob(path, call.path); }));
}
std::vector<std::string> FakeEngine::changes() const {
  std::vector<std::string> texts;
  for (const FakeCall& call : state_->calls)
    if (call.method != "GET" && call.method != "HEAD") texts.push_back(call.text());
  return texts;
}

}  // namespace berth::testing
