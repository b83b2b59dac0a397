// A request of the edge's own on behalf of a client's: to a login, a page of errors, a mirror.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "edge/handler.h"

namespace berth::edge {

/// What to ask, in place of what the client asked.
struct SubAsk {
  const Routes::Entry& entry;  ///< of entry_for()
  std::string_view method;
  std::string_view path;   ///< canonical
  std::string_view query;  ///< without '?'
};

/// The parts of a request that live as long as it; it has no body. Not movable.
class SubRequest {
 public:
  /// Copies the parent's head; `change` it before run().
  SubRequest(Request& parent, const SubAsk& ask);
  ~SubRequest();
  SubRequest(const SubRequest&) = delete;
  http::RequestHead& head();
  /// Says what the client asked for, as X-Forwarded-Method and X-Forwarded-Uri.
  void tell_forwarded(std::string_view method, std::string_view uri);
  io::Task<Outcome> run(ReplySink& reply);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// Takes a reply of at most `most` bytes into memory; of a larger one, the begin.
class KeptReply final : public ReplySink {
 public:
  explicit KeptReply(std::size_t most) : most_(most) {}
  int status = 0;  ///< 0: none came
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;
  bool cut = false;

  std::string_view get(std::string_view name) const;
  io::Task<Result<void>> begin(http::ResponseHead& head, bool has_body) override;
  io::Task<Result<void>> data(std::string_view piece) override;
  io::Task<Result<void>> flush() override { co_return Result<void>{}; }
  io::Task<Result<void>> end(const http::Fields*) override { co_return Result<void>{}; }
  io::Task<Result<void>> upgrade(http::ResponseHead&) override { co_return fail(Code::invalid, "no upgrade here"); }

 private:
  std::size_t most_;
};

/// An entry of `routes`' service `name` without middlewares; nothing when there is no such service.
std::optional<Routes::Entry> entry_for(const Routes& routes, std::string_view name);

}  // namespace berth::edge
