// A tiny web program to try a platform with: a page, a WebSocket echo, a streamed response, server-sent events.
//
//   hello [PORT] [PAGE]   serves on PORT (8080), the page's template from PAGE (/page.html)
//   hello --health PORT   0 when a server answers /healthz on this machine; for a health check without a shell
//
// One thread and one poll(); SIGTERM ends it within a second, also as the first process of a container.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "http.h"
#include "websocket.h"

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto kLineTick = 200ms;         // between two lines of a stream
constexpr auto kEventTick = 1s;           // between two events
constexpr auto kGrace = 1s;               // for the last bytes when the program ends
constexpr size_t kMostPending = 1 << 20;  // bytes that a slow reader may leave behind before we stop reading from it

volatile sig_atomic_t stopping = 0;

struct Client {
  enum class Mode { http, websocket, stream, events, closing };
  int fd = -1;
  Mode mode = Mode::http;
  bool keep_alive = true;
  bool head_only = false;  // a HEAD request: no body follows
  std::string in, out;
  int line = 0, lines = 0;   // of a stream or of events
  Clock::time_point next{};  // when its next line is due

  bool ticking() const { return mode == Mode::stream || mode == Mode::events; }
};

struct Site {
  std::string host, page;

  std::string instance() const { return "X-Instance: " + host + "\r\n"; }
};

std::string page_for(const Site& site, const Request& request) {
  std::string rows;
  for (const auto& [name, value] : request.headers)
    rows += "<tr><th>" + escape_html(name) + "</th><td>" + escape_html(value) + "</td></tr>\n";
  std::string page = site.page;
  const std::pair<std::string_view, std::string> values[] = {{"{{host}}", escape_html(request.header("host"))},
                                                             {"{{instance}}", escape_html(site.host)},
                                                             {"{{headers}}", rows}};
  for (const auto& [mark, value] : values)
    if (size_t at = page.find(mark); at != page.npos) page.replace(at, mark.size(), value);
  return page;
}

void answer(Client& client, const Site& site, std::string_view status, std::string_view type, std::string_view body) {
  std::string extra = site.instance() + "Content-Length: " + std::to_string(body.size()) + "\r\n";
  if (!client.keep_alive) extra += "Connection: close\r\n";
  client.out += response_head(status, type, extra);
  if (!client.head_only) client.out += body;
  if (!client.keep_alive) client.mode = Client::Mode::closing;
}

void start_lines(Client& client, const Site& site, Client::Mode mode, int lines) {
  const bool events = mode == Client::Mode::events;
  client.out += response_head("200 OK", events ? "text/event-stream" : "text/plain; charset=utf-8",
                              site.instance() + "Cache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n");
  client.mode = mode;
  client.line = 0;
  client.lines = lines;
  client.next = Clock::now();
}

void start_websocket(Client& client, const Site& site, const Request& request) {
  const std::string_view key = request.header("sec-websocket-key");
  if (!same_text(request.header("upgrade"), "websocket") || key.empty() ||
      request.header("sec-websocket-version") != "13") {
    answer(client, site, "426 Upgrade Required", "text/plain", "this path speaks WebSocket, version 13\n");
    return;
  }
  client.out += response_head("101 Switching Protocols", "",
                              site.instance() + "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
                                  websocket_accept(key) + "\r\n");
  client.mode = Client::Mode::websocket;
}

std::string header_lines(const Request& request) {
  std::string text = request.method + " " + request.path + (request.query.empty() ? "" : "?" + request.query) + "\n";
  for (const auto& [name, value] : request.headers) text += name + ": " + value + "\n";
  return text;
}

void serve(Client& client, const Site& site, const Request& request) {
  client.keep_alive = request.keep_alive;
  client.head_only = request.method == "HEAD";
  if (request.path == "/") {
    answer(client, site, "200 OK", "text/html; charset=utf-8", page_for(site, request));
  } else if (request.path == "/healthz") {
    answer(client, site, "200 OK", "text/plain", "ok\n");
  } else if (request.path == "/headers") {
    answer(client, site, "200 OK", "text/plain; charset=utf-8", header_lines(request));
  } else if (request.path == "/echo") {
    const std::string_view type = request.header("content-type");
    answer(client, site, "200 OK", type.empty() ? "application/octet-stream" : type, request.body);
  } else if (request.path == "/stream") {
    start_lines(client, site, Client::Mode::stream, request.number("n", 10, 1000));
  } else if (request.path == "/sse") {
    start_lines(client, site, Client::Mode::events, request.number("n", 1000000, 1000000));
  } else if (request.path == "/ws") {
    start_websocket(client, site, request);
  } else {
    answer(client, site, "404 Not Found", "text/plain",
           "no such page: /, /ws, /stream, /sse, /echo, /headers, /healthz\n");
  }
}

/// Answers the requests and frames that have come so far.
void react(Client& client, const Site& site) {
  while (client.mode == Client::Mode::http) {
    Request request;
    const Parsed parsed = take_request(client.in, request);
    if (parsed == Parsed::more) break;
    client.keep_alive = false;
    if (parsed == Parsed::bad) answer(client, site, "400 Bad Request", "text/plain", "bad request\n");
    if (parsed == Parsed::done) serve(client, site, request);
  }
  if (client.mode == Client::Mode::websocket && !websocket_echo(client.in, client.out))
    client.mode = Client::Mode::closing;
}

void tick(Client& client, const Site& site) {
  const bool events = client.mode == Client::Mode::events;
  const std::string number = std::to_string(++client.line);
  client.out += chunk(events ? "id: " + number + "\ndata: event " + number + " from " + site.host + "\n\n"
                             : "line " + number + " from " + site.host + "\n");
  client.next += events ? Clock::duration(kEventTick) : Clock::duration(kLineTick);
  if (client.line < client.lines) return;
  client.out += "0\r\n\r\n";
  client.mode = client.keep_alive ? Client::Mode::http : Client::Mode::closing;
  react(client, site);  // what came while the lines went out
}

/// Reads and writes what the socket allows; false when the client is gone or all is said.
bool transfer(Client& client, short ready, const Site& site) {
  char buffer[16384];
  if (ready & (POLLIN | POLLHUP | POLLERR)) {
    const ssize_t got = recv(client.fd, buffer, sizeof buffer, 0);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return false;
    if (got > 0 && client.mode != Client::Mode::closing) client.in.append(buffer, static_cast<size_t>(got));
    react(client, site);
  }
  if (!client.out.empty()) {
    const ssize_t sent = send(client.fd, client.out.data(), client.out.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return false;
    if (sent > 0) client.out.erase(0, static_cast<size_t>(sent));
  }
  return client.mode != Client::Mode::closing || !client.out.empty();
}

/// A listening socket for both address families, or for IPv4 where there is no other; -1 with errno.
int listen_on(uint16_t port) {
  const int on = 1, off = 0;
  int fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd >= 0) {
    sockaddr_in6 any{};
    any.sin6_family = AF_INET6;
    any.sin6_port = htons(port);
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, reinterpret_cast<sockaddr*>(&any), sizeof any) == 0 && listen(fd, 128) == 0) return fd;
    close(fd);
  }
  fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_port = htons(port);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, reinterpret_cast<sockaddr*>(&any), sizeof any) == 0 && listen(fd, 128) == 0) return fd;
  return -1;
}

void accept_all(int listener, std::list<Client>& clients) {
  for (;;) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    clients.emplace_back().fd = fd;
  }
}

short wanted(const Client& client) {
  const bool full = client.out.size() > kMostPending;
  return static_cast<short>((full ? 0 : POLLIN) | (client.out.empty() ? 0 : POLLOUT));
}

/// Waits with SIGTERM let through only here, so that none is missed between the check and the wait.
void wait_for_events(std::vector<pollfd>& polls, const std::list<Client>& clients,
                     std::optional<Clock::time_point> end) {
  for (const Client& client : clients)
    if (client.ticking() && (!end || client.next < *end)) end = client.next;
  timespec time{};
  if (end) {
    const auto left = std::max(std::chrono::nanoseconds(0), std::chrono::nanoseconds(*end - Clock::now()));
    time = {.tv_sec = left / 1s, .tv_nsec = (left % 1s).count()};
  }
  sigset_t none;
  sigemptyset(&none);
  if (ppoll(polls.data(), polls.size(), end ? &time : nullptr, &none) < 0)
    for (pollfd& poll : polls) poll.revents = 0;
}

void step(std::list<Client>& clients, const std::vector<pollfd>& polls, const Site& site) {
  size_t at = 1;  // polls[0] is the listener
  const auto now = Clock::now();
  for (auto client = clients.begin(); client != clients.end() && at < polls.size();) {
    while (client->ticking() && client->next <= now && client->out.size() < kMostPending) tick(*client, site);
    const bool stays = transfer(*client, polls[at++].revents, site);
    if (!stays) close(client->fd);
    client = stays ? std::next(client) : clients.erase(client);
  }
}

/// No new requests: idle connections close, sockets get a close frame, streams end where they are.
void say_goodbye(std::list<Client>& clients) {
  for (Client& client : clients) {
    if (client.mode == Client::Mode::websocket) client.out += websocket_close(1001);
    client.mode = Client::Mode::closing;
  }
}

int run(int listener, const Site& site) {
  std::list<Client> clients;
  std::optional<Clock::time_point> end;
  for (;;) {
    if (stopping && !end) {
      end = Clock::now() + kGrace;
      say_goodbye(clients);
      close(listener);
      listener = -1;
    }
    if (end && (clients.empty() || Clock::now() >= *end)) return 0;
    std::vector<pollfd> polls{{.fd = listener, .events = POLLIN, .revents = 0}};
    for (const Client& client : clients) polls.push_back({.fd = client.fd, .events = wanted(client), .revents = 0});
    wait_for_events(polls, clients, end);
    step(clients, polls, site);
    if (listener >= 0 && polls[0].revents) accept_all(listener, clients);
  }
}

int health(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const timeval limit{.tv_sec = 2, .tv_usec = 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  sockaddr_in local{};
  local.sin_family = AF_INET;
  local.sin_port = htons(port);
  local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  constexpr std::string_view question = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  char reply[64];
  const bool well = connect(fd, reinterpret_cast<sockaddr*>(&local), sizeof local) == 0 &&
                    send(fd, question.data(), question.size(), MSG_NOSIGNAL) > 0 &&
                    recv(fd, reply, sizeof reply, 0) > 12 && std::string_view(reply, 12) == "HTTP/1.1 200";
  std::puts(well ? "ok" : "no answer on /healthz");
  return well ? 0 : 1;
}

std::string host_name() {
  char name[256] = "?";
  gethostname(name, sizeof name - 1);
  return name;
}

uint16_t to_port(const char* text) {
  const long port = std::strtol(text, nullptr, 10);
  if (port >= 1 && port <= 65535) return static_cast<uint16_t>(port);
  std::fprintf(stderr, "hello: \"%s\" is not a port: a number from 1 to 65535\n", text);
  std::exit(64);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "--health") == 0) return health(to_port(argv[2]));
  const uint16_t port = argc > 1 ? to_port(argv[1]) : 8080;
  std::ifstream file(argc > 2 ? argv[2] : "/page.html");
  const Site site{.host = host_name(), .page{std::istreambuf_iterator<char>(file), {}}};

  struct sigaction action{};
  action.sa_handler = [](int) { stopping = 1; };
  sigset_t ends;
  sigemptyset(&ends);
  for (int signal : {SIGTERM, SIGINT}) {
    sigaction(signal, &action, nullptr);
    sigaddset(&ends, signal);
  }
  sigprocmask(SIG_BLOCK, &ends, nullptr);

  const int listener = listen_on(port);
  if (listener < 0) {
    std::fprintf(stderr, "hello: port %d: %s\n", port, std::strerror(errno));
    return 1;
  }
  std::printf("hello: %s serves on port %d\n", site.host.c_str(), port);
  std::fflush(stdout);
  return run(listener, site);
}
