#include "plan/traffic_socket.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/hash.h"
#include "io/file.h"

namespace berth::plan {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::array<std::string_view, 8> kQuestions = {"view", "route",   "drain",    "cache",
                                                        "hold", "metrics", "requests", "registry"};
constexpr std::array<std::string_view, 3> kHolds = {"pause", "stop", "resume"};
constexpr std::int64_t kDay = 86400;  // seconds
constexpr std::array<Code, 8> kCodes = {Code::invalid,     Code::not_found, Code::conflict, Code::denied,
                                        Code::unavailable, Code::timeout,   Code::internal, Code::cancelled};
constexpr auto kAnswer = seconds(5);   // of a view, and beyond the time that a question itself takes
constexpr auto kReturn = seconds(15);  // for a serve whose core is started again
constexpr auto kRetry = milliseconds(100);

std::string prefix_of(std::string_view engine) {
  return "serve-" + sha256_hex(engine).substr(0, 12) + '-';
}

std::set<std::string> sockets_for(const std::vector<std::string>& folders, std::string_view engine) {
  std::set<std::string> out;
  const std::string prefix = prefix_of(engine);
  for (const std::string& folder : folders)
    if (const auto names = io::list_folder(folder))
      for (const std::string& name : *names)
        if (name.starts_with(prefix) && name.ends_with(".sock")) out.insert(folder + '/' + name);
  return out;
}

class SocketTraffic final : public Traffic {
 public:
  SocketTraffic(std::vector<std::string> folders, std::string engine)
      : folders_(std::move(folders)), engine_(std::move(engine)) {}

  io::Task<TrafficView> view() override {
    TrafficView all{.why = "no berth serve answers for this engine"};
    std::vector<std::string> answered;
    for (const std::string& path : sockets_for(folders_, engine_)) {
      const auto reply = co_await io::within(kAnswer, ask_control(path, ControlRequest{}));
      if (!reply) continue;
      answered.push_back(path);
      if (!(*reply)["edge"].boolean()) {
        all.why = "the edge of berth serve is not running";
        continue;
      }
      all.edge = true;
      for (const auto& [id, ports] : (*reply)["routed"].members())
        for (const Json& port : ports.items()) all.routed[id].push_back(static_cast<std::uint16_t>(port.integer()));
    }
    if (all.edge) all.why.clear();
    sockets_ = std::move(answered);
    co_return all;
  }

  io::Task<Result<Routing>> route(std::string id, seconds most) override {
    Routing routing = Routing::none;
    const ControlRequest question{.what = ControlRequest::What::route, .container = std::move(id), .most = most};
    const auto sockets = co_await answering();
    for (const std::string& path : sockets) {
      const Json reply = CO_TRY(co_await ask(path, question, most));
      if (reply["routing"].text() == "routed") routing = Routing::routed;
    }
    co_return routing;
  }

  io::Task<Result<Drained>> drain(std::string id, seconds most) override {
    Drained drained = Drained::empty;
    const ControlRequest question{.what = ControlRequest::What::drain, .container = std::move(id), .most = most};
    const auto sockets = co_await answering();
    for (const std::string& path : sockets) {
      const Json reply = CO_TRY(co_await ask(path, question, most + kReturn));
      if (reply["drained"].text() != "empty") drained = Drained::forced;
    }
    co_return drained;
  }

 private:
  // Those that the last view found; a plan that was made by another process comes without one.
  io::Task<std::vector<std::string>> answering() {
    if (!sockets_) co_await view();
    co_return *sockets_;
  }

  // Asks until there is an answer: a core that was killed is started again, and knows the rest from the engine.
  io::Task<Result<Json>> ask(std::string path, ControlRequest question, seconds most) {
    const io::Context context = co_await io::here();
    io::Time given_up = context.loop->now() + kReturn;
    while (true) {
      const io::Time begun = context.loop->now();
      auto reply = co_await io::within(most + kAnswer, ask_control(path, question));
      if (reply || reply.error().code != Code::unavailable) co_return reply;
      if (context.loop->now() - begun > kAnswer) given_up = context.loop->now() + kReturn;
      if (context.loop->now() >= given_up)
        co_return fail(std::move(reply).error().within("berth serve does not answer any more"));
      CO_TRY(co_await io::sleep_for(kRetry));
    }
  }

  std::vector<std::string> folders_;
  std::string engine_;
  std::optional<std::vector<std::string>> sockets_;  // of the serves that answered last
};

}  // namespace

std::string control_socket(const std::string& folder, std::string_view engine, std::string_view data) {
  return folder + '/' + prefix_of(engine) + sha256_hex(data).substr(0, 12) + ".sock";
}

std::vector<std::string> control_sockets(const std::string& folder, std::string_view data) {
  std::vector<std::string> out;
  const std::string end = '-' + sha256_hex(data).substr(0, 12) + ".sock";
  if (const auto names = io::list_folder(folder))
    for (const std::string& name : *names)
      if (name.starts_with("serve-") && name.ends_with(end)) out.push_back(folder + '/' + name);
  return out;
}

io::Task<Result<Json>> ask_control(std::string path, ControlRequest request) {
  io::UnixDialer dialer(path);
  const auto stream = CO_TRY(co_await dialer.dial());
  CO_TRY(co_await io::write_all(*stream, encode(request)));
  co_return decode_control_reply(CO_TRY(co_await read_control_line(*stream)));
}

io::Task<std::string> ask_registry_auth(std::vector<std::string> folders, std::string engine, std::string reference) {
  const ControlRequest question{.what = ControlRequest::What::registry, .reference = std::move(reference)};
  for (const std::string& path : sockets_for(folders, engine)) {
    const auto reply = co_await io::within(kAnswer, ask_control(path, question));
    if (reply && !(*reply)["auth"].text().empty()) co_return std::string((*reply)["auth"].text());
  }
  co_return std::string();
}

namespace {

void add_hold(Json& json, const ControlRequest::Hold& hold) {
  json.set("verb", hold.verb);
  json.set("name", hold.name);
  json.set("message", hold.message);
  json.set("limit", static_cast<std::int64_t>(hold.limit.count()));
  json.set("count", std::int64_t{hold.count});
  json.set("cut", hold.cut);
}

Result<ControlRequest::Hold> hold_of(const Json& json) {
  ControlRequest::Hold hold{
      .verb = std::string(json["verb"].text()),
      .name = std::string(json["name"].text()),
      .message = std::string(json["message"].text()),
      .limit = seconds(std::clamp<std::int64_t>(json["limit"].integer(), 0, kDay)),
      .count = static_cast<std::uint32_t>(std::clamp<std::int64_t>(json["count"].integer(), 0, 1'000'000)),
      .cut = json["cut"].boolean()};
  if (!std::ranges::count(kHolds, hold.verb)) return fail(Code::invalid, "a control request holds in no known way");
  if (hold.name.empty()) return fail(Code::invalid, "a control request does not name what to hold");
  return hold;
}

}  // namespace

std::string encode(const ControlRequest& request) {
  Json json = Json::object({{"do", kQuestions[static_cast<std::size_t>(request.what)]}});
  if (!request.container.empty()) json.set("container", request.container);
  if (!request.by.empty()) {
    json.set("purge", request.by);
    json.set("what", request.text);
  }
  if (request.what == ControlRequest::What::hold) add_hold(json, request.hold);
  if (request.follow) {
    json.set("follow", true);
    json.set("since", static_cast<std::int64_t>(request.since));
  }
  if (!request.reference.empty()) json.set("reference", request.reference);
  if (request.most.count() > 0) json.set("seconds", static_cast<std::int64_t>(request.most.count()));
  return json.dump() + '\n';
}

Result<ControlRequest> decode_control_request(std::string_view line) {
  const Json json = TRY(parse_json(line, {.bytes = 16384, .depth = 4}));
  const auto found = std::ranges::find(kQuestions, json["do"].text());
  if (found == kQuestions.end()) return fail(Code::invalid, "a control request asks for nothing that is known");
  ControlRequest request{.what = static_cast<ControlRequest::What>(found - kQuestions.begin()),
                         .container = std::string(json["container"].text()),
                         .most = seconds(std::clamp<std::int64_t>(json["seconds"].integer(), 0, kDay)),
                         .by = std::string(json["purge"].text()),
                         .text = std::string(json["what"].text()),
                         .reference = std::string(json["reference"].text())};
  request.follow = json["follow"].boolean();
  request.since = static_cast<std::uint64_t>(json["since"].integer());
  const bool of_container = request.what == ControlRequest::What::route || request.what == ControlRequest::What::drain;
  if (of_container && request.container.empty()) return fail(Code::invalid, "a control request names no container");
  if (request.what == ControlRequest::What::hold) request.hold = TRY(hold_of(json));
  return request;
}

std::string encode(const TrafficView& view) {
  Json routed = Json::object();
  for (const auto& [id, ports] : view.routed) {
    Json list = Json::array();
    for (const std::uint16_t port : ports) list.push(static_cast<std::int64_t>(port));
    routed.set(id, std::move(list));
  }
  return Json::object({{"edge", view.edge}, {"routed", std::move(routed)}}).dump() + '\n';
}

std::string encode(Routing routing) {
  return Json::object({{"routing", routing == Routing::routed ? "routed" : "none"}}).dump() + '\n';
}

std::string encode(Drained drained) {
  return Json::object({{"drained", drained == Drained::empty ? "empty" : "forced"}}).dump() + '\n';
}

std::string encode(const Error& error) {
  return Json::object({{"error", error.message}, {"code", to_text(error.code)}}).dump() + '\n';
}

Result<Json> decode_control_reply(std::string_view line) {
  Json json = TRY(parse_json(line, {.bytes = kMostControlLine, .depth = 8}));
  if (!json.is_object()) return fail(Code::invalid, "berth serve gave no reply that is understood");
  if (!json.contains("error")) return json;
  const auto code = std::ranges::find(kCodes, json["code"].text(), [](Code each) { return to_text(each); });
  return fail(code == kCodes.end() ? Code::internal : *code, std::string(json["error"].text()));
}

io::Task<Result<std::string>> read_control_line(io::Stream& stream) {
  std::string line;
  char bytes[4096];
  while (true) {
    const std::size_t count = CO_TRY(co_await io::read_some(stream, bytes));
    if (count == 0) co_return fail(Code::unavailable, "the control socket was closed");
    line.append(bytes, count);
    if (const auto end = line.find('\n'); end != std::string::npos) co_return line.substr(0, end);
    if (line.size() > kMostControlLine) co_return fail(Code::invalid, "a line on the control socket is too long");
  }
}

std::unique_ptr<Traffic> traffic_by_sockets(std::vector<std::string> folders, std::string engine) {
  return std::make_unique<SocketTraffic>(std::move(folders), std::move(engine));
}

}  // namespace berth::plan
