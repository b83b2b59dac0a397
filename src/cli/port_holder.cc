#include "cli/port_holder.h"

#include <arpa/inet.h>

#include <charconv>
#include <filesystem>
#include <set>

#include "base/text.h"
#include "engine/container.h"
#include "io/file.h"
#include "io/socket.h"

namespace berth::cli {
namespace {

constexpr std::string_view kListen = "0A";

std::optional<int> number_of(std::string_view text, int base = 10) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> out;
  for (const auto part : split(line, ' '))
    if (!part.empty()) out.push_back(part);
  return out;
}

// The kernel prints addresses as words of 32 bits in the host's byte order.
std::string address_text(std::string_view hex) {
  unsigned char bytes[16] = {};
  if (hex.size() != 8 && hex.size() != 32) return {};
  for (std::size_t word = 0; word < hex.size() / 8; ++word) {
    std::uint32_t value = 0;
    const auto part = hex.substr(word * 8, 8);
    std::from_chars(part.data(), part.data() + 8, value, 16);
    std::memcpy(bytes + word * 4, &value, 4);
  }
  char text[INET6_ADDRSTRLEN] = {};
  ::inet_ntop(hex.size() == 8 ? AF_INET : AF_INET6, bytes, text, sizeof text);
  return text;
}

std::vector<Listening> listening_at(const std::string& pid) {
  std::vector<Listening> out;
  for (const char* name : {"tcp", "tcp6"}) {
    const auto text = io::read_file("/proc/" + pid + "/net/" + name);
    if (!text) continue;
    auto some = parse_listening(*text);
    out.insert(out.end(), some.begin(), some.end());
  }
  return out;
}

bool holds(const std::string& pid, const std::set<std::string>& sockets) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + pid + "/fd", error)) {
    const auto link = std::filesystem::read_symlink(entry.path(), error);
    if (!error && sockets.contains(link.string())) return true;
  }
  return false;
}

struct Wanted {
  std::string service;
  std::string address;
  int port = 0;
};

void add_bindings(const Json& bindings, const std::string& service, std::vector<Wanted>& out) {
  for (const auto& [target, places] : bindings.members()) {
    if (!target.ends_with("/tcp")) continue;
    for (const auto& place : places.items())
      if (const auto port = number_of(place["HostPort"].text()); port && *port > 0)
        out.push_back({service, std::string(place["HostIp"].text()), *port});
  }
}

// Ports that starts of this plan will bind.
std::vector<Wanted> wanted_ports(const plan::Plan& plan, const plan::Observed& observed) {
  std::vector<Wanted> out;
  for (const auto& node : plan.nodes) {
    if (const auto* create = std::get_if<plan::CreateContainer>(&node.op))
      add_bindings(create->body.at("HostConfig.PortBindings"), node.group, out);
    const auto* start = std::get_if<plan::StartContainer>(&node.op);
    if (!start || start->container.id.empty()) continue;
    if (const auto* container = observed.container(start->container.id))
      add_bindings(container->inspect.at("HostConfig.PortBindings"), node.group, out);
  }
  return out;
}

std::set<int> own_ports(const plan::Observed& observed) {
  std::set<int> out;
  for (const auto& container : observed.containers)
    for (const auto& [target, places] : container.inspect.at("NetworkSettings.Ports").members())
      for (const auto& place : places.items())
        if (const auto port = number_of(place["HostPort"].text())) out.insert(*port);
  return out;
}

// "container shop-web-1" for a port that the engine itself publishes.
io::Task<std::string> container_with_port(Session& session, int port) {
  const auto client = co_await session.engine();
  if (!client) co_return "";
  const auto list = co_await engine::list_containers(**client, {.all = false});
  if (!list) co_return "";
  for (const auto& container : list->items())
    for (const auto& place : container["Ports"].items())
      if (place["PublicPort"].integer() == port)
        co_return "container " + std::string(container["Names"].items().empty()
                                                 ? container["Id"].text().substr(0, 12)
                                                 : container["Names"].items().front().text().substr(1));
  co_return "";
}

io::Task<Error> taken_error(Session& session, const compose::Project& project, Wanted want, std::string holder) {
  if (auto container = co_await container_with_port(session, want.port); !container.empty()) holder = container;
  const auto origin = port_origin(project, want.service, want.port);
  auto message = (origin.empty() ? "" : origin + ": ") + "service \"" + want.service + "\": port " +
                 std::to_string(want.port) + " is taken by " + (holder.empty() ? "another process" : holder) +
                 "; stop it or publish another port";
  co_return Error{Code::conflict, std::move(message)};
}

}  // namespace

std::vector<Listening> parse_listening(std::string_view text) {
  std::vector<Listening> out;
  for (const auto line : split(text, '\n')) {
    const auto fields = words(line);
    if (fields.size() < 10 || fields[3] != kListen) continue;
    const auto [address, port, found] = cut(fields[1], ':');
    const auto number = number_of(port, 16);
    if (!found || !number) continue;
    Listening one{.address = address_text(address), .port = *number};
    std::from_chars(fields[9].data(), fields[9].data() + fields[9].size(), one.inode);
    out.push_back(std::move(one));
  }
  return out;
}

std::optional<int> taken_port(std::string_view message) {
  // "Bind for 0.0.0.0:8080 failed: port is already allocated"
  // "listen tcp4 0.0.0.0:8080: bind: address already in use"
  for (const auto mark :
       {": port is already allocated", " failed: port is already allocated", ": bind: address already in use"}) {
    const auto at = message.rfind(mark);
    if (at == std::string_view::npos) continue;
    auto before = message.substr(0, at);
    if (before.ends_with(" failed")) before.remove_suffix(7);
    if (const auto port = number_of(cut_last(before, ':').after)) return port;
  }
  return std::nullopt;
}

bool overlap(std::string_view have, std::string_view want) {
  const auto any = [](std::string_view address) { return address.empty() || address == "0.0.0.0" || address == "::"; };
  return any(have) || any(want) || have == want;
}

std::string port_holder(int port, const std::string& pid) {
  std::set<std::string> sockets;
  for (const auto& one : listening_at(pid))
    if (one.port == port) sockets.insert("socket:[" + std::to_string(one.inode) + "]");
  if (sockets.empty()) return {};
  const auto names = io::list_folder("/proc");
  for (const auto& name : names ? *names : std::vector<std::string>{}) {
    if (!number_of(name) || !holds(name, sockets)) continue;
    const auto comm = io::read_file("/proc/" + name + "/comm");
    return (comm ? std::string(trim(*comm)) : "a process") + " (pid " + name + ")";
  }
  return "another process";
}

io::Task<std::string> engine_pid(const engine::Address& address) {
  if (address.kind != engine::Address::Kind::unix_socket) co_return "";
  const auto path = io::Address::unix_path(address.path);
  if (!path) co_return "";
  const auto stream = co_await io::connect(*path);
  ucred peer{};
  socklen_t size = sizeof peer;
  if (!stream || ::getsockopt((*stream)->descriptor(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.pid <= 0)
    co_return "";
  co_return std::to_string(peer.pid);
}

std::string port_origin(const compose::Project& project, const std::string& service, int port) {
  const auto* found = project.find(service);
  if (!found) return {};
  const auto& ports = found->config["ports"].items();
  for (std::size_t i = 0; i < ports.size(); ++i) {
    const auto& published = ports[i]["published"];
    const auto text = published.is_text() ? std::string(published.text()) : std::to_string(published.integer());
    if (text == std::to_string(port))
      return project.origin("services." + service + ".ports." + std::to_string(i)).text();
  }
  return project.origin("services." + service + ".ports").text();
}

io::Task<Error> explain_port(Session& session, const compose::Project& project, const plan::Node& node, Error error) {
  const auto port = taken_port(error.message);
  if (!port) {
    const bool named = error.message.contains(plan::object_of(node.op));
    co_return named ? std::move(error) : std::move(error).within(plan::describe(node.op));
  }
  const auto client = co_await session.engine();
  const auto pid = client ? co_await engine_pid((*client)->address()) : std::string();
  const auto holder = pid.empty() ? std::string() : port_holder(*port, pid);
  co_return co_await taken_error(session, project, {node.group, "", *port}, holder);
}

io::Task<Result<void>> check_ports(Session& session, const compose::Project& project, const plan::Plan& plan,
                                   const plan::Observed& observed) {
  const auto wanted = wanted_ports(plan, observed);
  if (wanted.empty() || session.world.dialer) co_return Result<void>{};
  const auto pid = co_await engine_pid(CO_TRY(co_await session.engine())->address());
  if (pid.empty()) co_return Result<void>{};
  const auto own = own_ports(observed);
  const auto listening = listening_at(pid);
  for (const auto& want : wanted) {
    const bool taken = !own.contains(want.port) && std::ranges::any_of(listening, [&](const Listening& one) {
      return one.port == want.port && overlap(one.address, want.address);
    });
    if (taken) co_return fail(co_await taken_error(session, project, want, port_holder(want.port, pid)));
  }
  co_return Result<void>{};
}

}  // namespace berth::cli
