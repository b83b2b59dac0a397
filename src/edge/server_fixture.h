// The vocabulary of the edge's loopback tests: an origin, an edge before it, and clients, on one loop.
#pragma once

#include <gtest/gtest.h>

#include <map>

#include "edge/cache_store.h"
#include "edge/certificate.h"
#include "edge/limits.h"
#include "edge/server.h"
#include "http/server.h"

namespace berth::edge {

struct Answer {
  int status = 0;  ///< 0: no reply came
  http::Headers headers;
  std::string body;
  bool complete = false;
  bool keep_alive = false;
  std::string_view field(std::string_view name) const { return http::header(headers, name); }
};

/// A connection of a client to the edge.
class Browser {
 public:
  explicit Browser(std::unique_ptr<io::Stream> stream) : wire(std::move(stream)) {}
  io::Task<bool> send(std::string text);
  /// Reads the next reply; `method` is that of its request.
  io::Task<Answer> receive(std::string method = "GET");
  io::Task<Answer> ask(std::string text);
  /// Whether the edge closed (within the test's deadline).
  io::Task<bool> closed();
  http::Wire wire;
};

/// What the origin answers at a path, in place of what it knows. An ETag that the request names gets a 304.
struct Say {
  int status = 200;
  http::Headers headers{};
  std::string body{};
  bool waits = false;         ///< with its head, until World::go
  bool waits_inside = false;  ///< in the middle of its body, which is chunked then
  bool dies = false;          ///< in the middle of its body
  std::size_t asked = 0;
  std::string request{};  ///< the fields of the last one, "name: value\n"
};

/// An origin with a few known paths, and an edge that routes app.test to it.
class World {
 public:
  World();
  /// Starts both, runs `test` with a deadline of 20 s, drains and joins all.
  void run(io::Task<void> (*test)(World&));

  /// A snapshot with the standard routes; changed by a test before use().
  Snapshot snapshot(std::uint64_t version = 1) const;
  void use(Snapshot snapshot);
  io::Task<std::unique_ptr<Browser>> browse();  ///< plain, to `web`
  io::Task<std::unique_ptr<Browser>> browse_tls(std::string host, std::string ca);

  io::Loop loop;
  std::unique_ptr<Server> server;
  Authority authority;
  io::Address web, websecure, origin;
  io::Address database, names;      ///< of the entry points "database" and "names", the latter UDP
  std::vector<std::string> access;  ///< "GET /path 200 detail"
  std::vector<EdgeEvent> events;
  std::map<std::string, Say, std::less<>> says;  ///< by path
  std::shared_ptr<CacheStore> store;             ///< of the edge
  std::shared_ptr<Limits> limits = std::make_shared<Limits>();
  io::Event go;  ///< releases /sse and /wait
  std::size_t origin_requests = 0, origin_connections = 0;
  std::uint64_t most_unsent = 0;
  bool origin_saw_end = false;  ///< /sse noticed that its client is gone

 private:
  io::Task<void> arrange(io::Task<void> (*test)(World&));
  io::Task<void> run_edge();
  io::Task<void> run_origin();
};

std::string get(std::string_view path, std::string_view more = {}, std::string_view host = "app.test");

}  // namespace berth::edge
