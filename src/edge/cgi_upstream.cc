#include "edge/cgi_upstream.h"

#include <algorithm>

#include "edge/cgi_head.h"
#include "edge/handler.h"
#include "edge/uwsgi_packet.h"

namespace berth::edge {
namespace {

constexpr std::size_t kRead = 16u << 10;
constexpr std::size_t kMostCollected = 1u << 20;
constexpr std::size_t kMostErrors = 500;  // bytes of what the application complains of
constexpr int kOverloaded = 2;

void set_length(CgiVars& vars, std::size_t length) {
  const auto at = std::ranges::find(vars, "CONTENT_LENGTH", &CgiVars::value_type::first);
  if (at != vars.end()) at->second = std::to_string(length);
}

}  // namespace

// Sending.

Result<void> CgiUpstream::refuse(Refusal refusal, std::string detail) {
  refusal_ = refusal;
  queued_.set();
  return fail(Code::invalid, std::move(detail));
}

Result<void> CgiUpstream::begin(const Opening& opening) {
  http::RequestHead head;
  const auto parsed = http::parse_request(
      opening.head, head,
      {.bytes = opening.head.size() + 1, .target = opening.head.size(), .fields = http::Fields::kRoom});
  if (parsed.state != http::Parsed::State::complete) return fail(Code::internal, "a head of ours does not parse");
  static const Cgi kUsual;
  const Request& request = opening.request;
  const std::string client = request.client.text();
  const CgiRequest facts{.head = head,
                         .options = request.service->cgi ? *request.service->cgi : kUsual,
                         .client = client,
                         .host = request.host,
                         .https = request.hop.scheme() == "https",
                         .length = head.framing.length};
  auto vars = speaks_ == Speaks::uwsgi ? uwsgi_vars(facts) : fastcgi_vars(facts);
  if (!vars) return refuse({400, "The path is ambiguous."}, vars.error().message);
  vars_ = std::move(*vars);
  head_only_ = head.method == "HEAD";
  // CGI knows no body without a length.
  collects_ = opening.has_body && !head.framing.length;
  if (collects_) return {};
  TRY(queue_head());
  if (!opening.has_body) end_body(nullptr);
  return {};
}

Result<void> CgiUpstream::queue_head() {
  auto head = speaks_ == Speaks::uwsgi ? uwsgi_packet(vars_) : fastcgi_begin(vars_);
  if (!head) return refuse({431, "The request's head is larger than this service accepts."}, head.error().message);
  vars_.clear();
  out_.append(*head);
  queued_.set();
  return {};
}

io::Task<Result<void>> CgiUpstream::send(std::string_view data) {
  if (collects_) {
    if (collected_.size() + data.size() > kMostCollected)
      co_return refuse({411, "This service needs to know how long the request's body is."},
                       "a body without a length is larger than 1 MiB");
    collected_.append(data);
    co_return Result<void>{};
  }
  if (speaks_ == Speaks::fcgi)
    append_fastcgi_body(out_, data);
  else
    out_.append(data);
  co_return co_await flush();
}

void CgiUpstream::end_body(const http::Fields*) {
  if (std::exchange(collects_, false)) {
    set_length(vars_, collected_.size());
    if (!queue_head()) return;
    if (speaks_ == Speaks::uwsgi)
      out_.append(collected_);
    else if (!collected_.empty())
      append_fastcgi_body(out_, collected_);
    collected_.clear();
  }
  if (speaks_ == Speaks::fcgi) append_fastcgi_body(out_, "");
}

io::Task<Result<void>> CgiUpstream::flush() {
  if (writing_ || out_.empty()) co_return Result<void>{};  // the one who writes takes ours along
  writing_ = true;
  Result<void> written;
  while (written && !out_.empty()) {
    const std::string batch = std::exchange(out_, {});
    written = co_await io::write_all(stream_, batch);
  }
  writing_ = false;
  co_return written;
}

// Reading.

/// What the application wrote to its errors says more than any status.
Error CgiUpstream::with_complaint(Error error) const {
  if (!errors_.empty()) error.message += "; the application says: " + errors_;
  return error;
}

Result<void> CgiUpstream::decode(std::string_view bytes) {
  using Step = FastcgiDecoder::Step;
  while (true) {
    const Step step = decoder_.next(bytes);
    switch (step.what) {
      case Step::need_more:
        return {};
      case Step::output:
        in_.append(step.data);
        break;
      case Step::errors:
        for (const char c : step.data.substr(0, kMostErrors - errors_.size()))
          errors_ += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
        break;
      case Step::refused:
        return fail(Code::unavailable, "the answer breaks the rules of FastCGI: " + std::string(step.reason));
      case Step::end:
        ended_ = true;
        if (step.status == 0) return {};
        if (step.status == kOverloaded) refusal_ = {503, "The service is overloaded right now. Try again in a moment."};
        return fail(Code::unavailable, "the application refuses the request, " + std::to_string(step.status));
    }
  }
}

io::Task<Result<void>> CgiUpstream::read() {
  char bytes[kRead];
  const std::size_t count = CO_TRY(co_await io::read_some(stream_, bytes));
  if (speaks_ == Speaks::fcgi) {
    if (count == 0) co_return fail(Code::unavailable, "the application closed the connection in the middle");
    co_return decode(std::string_view(bytes, count));
  }
  in_.append(bytes, count);
  ended_ = count == 0;
  co_return Result<void>{};
}

io::Task<Result<void>> CgiUpstream::read_head(http::ResponseHead& head) {
  CO_TRY(co_await queued_.wait());
  if (refusal_.status != 0) co_return fail(Code::unavailable, "the request could not be told to the application");
  while (true) {
    const http::Parsed parsed = parse_cgi_head(in_, head_text_, head);
    if (parsed.state == http::Parsed::State::refused)
      co_return fail(with_complaint({Code::unavailable, "malformed reply: " + std::string(parsed.reason)}));
    if (parsed.state == http::Parsed::State::complete) {
      in_.erase(0, parsed.consumed);
      break;
    }
    if (ended_) co_return fail(with_complaint({Code::unavailable, "the application closed without an answer"}));
    if (auto done = co_await read(); !done) co_return fail(with_complaint(std::move(done.error())));
  }
  head.keep_alive = true;  // of this connection nothing is kept, which says nothing about its fields
  bodyless_ = head_only_ || head.status == 204 || head.status == 304;
  counted_ = head.framing.length.has_value();
  left_ = head.framing.length.value_or(0);
  if (bodyless_) in_.clear();
  co_return take_body(0);
}

/// Counts what is in `in_` beyond `before`. An application that says more than its length is cut there.
Result<void> CgiUpstream::take_body(std::size_t before) {
  if (!counted_ || bodyless_) return {};
  const std::size_t fresh = in_.size() - before;
  if (fresh > left_) {
    in_.resize(before + static_cast<std::size_t>(left_));
    ended_ = true;
  }
  left_ -= std::min<std::uint64_t>(left_, fresh);
  return {};
}

io::Task<Result<bool>> CgiUpstream::more() {
  while (in_.empty()) {
    if (bodyless_ || (counted_ && left_ == 0)) co_return false;
    if (ended_) {
      if (!counted_) co_return false;
      co_return fail(with_complaint({Code::unavailable, "the application closed in the middle of its reply"}));
    }
    CO_TRY(co_await read());
    CO_TRY(take_body(0));
  }
  co_return true;
}

}  // namespace berth::edge
