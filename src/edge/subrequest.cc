#include "edge/subrequest.h"

#include "edge/middlewares.h"
#include "edge/shared.h"
#include "edge/sink.h"

namespace berth::edge {

struct SubRequest::Parts {
  Parts(Request& parent, const SubAsk& ask)
      : entry(ask.entry),
        work(parent.shared),
        request{.shared = parent.shared,
                .live = parent.live,
                .hop = parent.hop,
                .work = *work,
                .head = work->head,
                .rewritten = work->rewritten,
                .body = &body,
                .tally = tally} {
    http::RequestHead& head = work->head;
    head = parent.head;
    head.method = ask.method;
    head.query = ask.query;
    head.target = ask.path;
    head.framing = {};
    head.upgrade = {};
    head.expect_continue = false;
    request.host = parent.host;
    request.path = ask.path;
    request.client = parent.client;
    request.entry = &entry;
    request.service = entry.service.get();
    request.rewritten.begin(ask.path);
  }
  Routes::Entry entry;
  WorkspaceLease work;
  EmptyBody body;
  Tally tally;
  Request request;
};

SubRequest::SubRequest(Request& parent, const SubAsk& ask) : parts_(std::make_unique<Parts>(parent, ask)) {}

SubRequest::~SubRequest() = default;

http::RequestHead& SubRequest::head() {
  return parts_->request.head;
}

void SubRequest::tell_forwarded(std::string_view method, std::string_view uri) {
  Headers headers;
  headers.request = {{"X-Forwarded-Method", std::string(method)}, {"X-Forwarded-Uri", std::string(uri)}};
  parts_->entry.route.middlewares = {{"", std::move(headers)}};
}

io::Task<Outcome> SubRequest::run(ReplySink& reply) {
  return to_service()->handle(parts_->request, reply);
}

std::string_view KeptReply::get(std::string_view name) const {
  for (const auto& [each, value] : fields) {
    if (http::same_name(each, name)) return value;
  }
  return {};
}

io::Task<Result<void>> KeptReply::begin(http::ResponseHead& head, bool) {
  status = head.status;
  for (const http::Field& field : head.fields) fields.emplace_back(field.name, field.value);
  co_return Result<void>{};
}

io::Task<Result<void>> KeptReply::data(std::string_view piece) {
  const std::size_t room = most_ - std::min(most_, body.size());
  body.append(piece.substr(0, room));
  cut = cut || piece.size() > room;
  if (cut) co_return fail(Code::invalid, "the reply is larger than " + std::to_string(most_) + " bytes");
  co_return Result<void>{};
}

std::optional<Routes::Entry> entry_for(const Routes& routes, std::string_view name) {
  auto service = routes.service(name);
  if (!service) return std::nullopt;
  Routes::Entry entry;
  entry.route.name = std::string(name);
  entry.service = std::move(service);
  return entry;
}

}  // namespace berth::edge
