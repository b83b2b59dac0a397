#include "app/listening.h"

#include "app/entry_points.h"
#include "io/datagram.h"
#include "io/file.h"

namespace berth::app {
namespace {

std::string upgrade_file(const std::string& data) {
  return data + "/upgrade.json";
}

/// Sockets that share a port would share it with another program's as well, which then gets half of the connections:
/// so one that shares nothing is opened first, and closed again.
Result<void> expect_free(const edge::EntryPoint& point, const io::Address& address) {
  TRY(point.udp ? io::Datagrams::bind(address, {}) : io::listen_on(address));
  return {};
}

Result<void> open_address(const edge::EntryPoint& point, const std::string& text, unsigned workers,
                          std::vector<Listening>& into) {
  auto address = TRY(io::Address::parse(text));
  const io::ListenOptions options{.reuse_port = workers > 1};
  if (workers > 1 && address.port() != 0) TRY(expect_free(point, address));
  for (unsigned i = 0; i < workers; ++i) {
    io::Fd fd = TRY(point.udp ? io::Datagrams::bind(address, options) : io::listen_on(address, options));
    address = io::Address::of(fd.get());  // the first may have been given any free port; the others share it
    into.push_back({point.name, address.text(), std::move(fd), point.udp});
  }
  return {};
}

Result<void> open_role(std::string_view role, std::uint16_t port, const ServeOptions& options,
                       std::vector<Listening>& into) {
  for (const std::string& host : options.listen) {
    const std::string text = (host.find(':') == std::string::npos ? host : "[" + host + "]");
    const std::string address = text + ":" + std::to_string(port);
    auto opened = open_address({.name = std::string(role)}, address, options.workers, into);
    if (!opened) return fail(advise_port(std::move(opened.error()), std::string(role), address));
  }
  return {};
}

}  // namespace

Result<std::vector<Listening>> open_listening(const ServeOptions& options) {
  std::vector<Listening> out;
  TRY(open_role("web", options.web, options, out));
  TRY(open_role("websecure", options.websecure, options, out));
  for (const edge::EntryPoint& point : TRY(read_entry_points(options.statics, options.listen)))
    for (const std::string& address : point.addresses) TRY(open_address(point, address, options.workers, out));
  return out;
}

Result<Listening> open_door() {
  io::Fd fd = TRY(io::listen_on(TRY(io::Address::parse("127.0.0.1:0"))));
  std::string address = io::Address::of(fd.get()).text();
  return Listening{.role = std::string(kDoor), .address = std::move(address), .fd = std::move(fd)};
}

std::string encode_succession(const Succession& succession) {
  Json listening = Json::array(), leaving = Json::array();
  for (const Listening& each : succession.listening)
    listening.push(
        Json::object({{"role", each.role}, {"address", each.address}, {"fd", each.fd.get()}, {"udp", each.udp}}));
  for (const pid_t pid : succession.leaving) leaving.push(std::int64_t{pid});
  return Json::object({{"listening", listening},
                       {"lock", succession.lock},
                       {"edge", std::int64_t{succession.edge}},
                       {"channel", succession.channel},
                       {"leaving", leaving},
                       {"number", succession.number}})
      .dump();
}

Result<Succession> decode_succession(std::string_view text) {
  const Json json = TRY(parse_json(text));
  Succession out{.listening = {},
                 .lock = static_cast<int>(json["lock"].integer(-1)),
                 .edge = static_cast<pid_t>(json["edge"].integer(-1)),
                 .channel = static_cast<int>(json["channel"].integer(-1)),
                 .leaving = {},
                 .number = json["number"].integer()};
  for (const Json& each : json["listening"].items())
    out.listening.push_back({std::string(each["role"].text()), std::string(each["address"].text()),
                             io::inherited(static_cast<int>(each["fd"].integer(-1))), each["udp"].boolean()});
  for (const Json& pid : json["leaving"].items()) out.leaving.push_back(static_cast<pid_t>(pid.integer(-1)));
  const bool whole = out.lock > 2 && out.edge > 0 && out.channel > 2 && !out.listening.empty();
  if (!whole) return fail(Code::invalid, "--succeed is for berth serve itself; berth upgrade replaces a running one");
  return out;
}

std::vector<int> descriptors_of(const Succession& succession) {
  std::vector<int> out{succession.lock, succession.channel};
  for (const Listening& each : succession.listening) out.push_back(each.fd.get());
  return out;
}

UpgradeOutcome read_upgrade(const std::string& data) {
  const auto text = io::read_file(upgrade_file(data));
  const auto json = text ? parse_json(*text) : Result<Json>(fail(text.error()));
  if (!json) return {};
  return {.number = (*json)["number"].integer(),
          .program = std::string((*json)["program"].text()),
          .why = std::string((*json)["why"].text())};
}

Result<void> write_upgrade(const std::string& data, const UpgradeOutcome& outcome) {
  const Json json = Json::object({{"number", outcome.number}, {"program", outcome.program}, {"why", outcome.why}});
  return io::write_file(upgrade_file(data), json.dump() + "\n", 0600);
}

}  // namespace berth::app
