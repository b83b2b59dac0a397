// gRPC-Web (github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md): the middleware grpcWeb. Trailers, which browsers do
// not show to scripts, become the body's last frame; the text form is the same in base64.
#include <algorithm>

#include "base/base64.h"
#include "base/text.h"
#include "edge/middlewares.h"
#include "edge/sink.h"

namespace berth::edge {
namespace {

constexpr std::string_view kWeb = "application/grpc-web", kText = "application/grpc-web-text",
                           kGrpc = "application/grpc";

/// The bytes of a body in base64, of which each four characters stand for themselves.
class TextBody final : public BodySource {
 public:
  explicit TextBody(BodySource& from) : from_(from) { state_ = from.state(); }

  Piece take() override {
    while (true) {
      const Piece piece = from_.take();
      state_ = from_.state();
      if (piece.what == Piece::end && !waiting_.empty()) return refuse();
      if (piece.what != Piece::some) return piece;
      waiting_.append(piece.data);
      const std::size_t whole = waiting_.size() / 4 * 4;
      decoded_.clear();
      if (!decode(std::string_view(waiting_).substr(0, whole))) return refuse();
      waiting_.erase(0, whole);
      if (!decoded_.empty()) return {.what = Piece::some, .data = decoded_};
    }
  }
  io::Task<Result<void>> more() override {
    auto result = co_await from_.more();
    state_ = from_.state();
    co_return result;
  }
  io::Task<bool> gone() override { return from_.gone(); }

 private:
  /// Messages are encoded one by one, so that '=' may stand in the middle.
  bool decode(std::string_view text) {
    while (!text.empty()) {
      const auto pad = text.find('=');
      const std::string_view part = text.substr(0, pad == std::string_view::npos ? text.size() : pad / 4 * 4 + 4);
      const auto bytes = decode_base64(part);
      if (!bytes) return false;
      decoded_ += *bytes;
      text.remove_prefix(part.size());
    }
    return true;
  }
  Piece refuse() {
    state_ = State::broken;
    from_.abandon_running();
    return {.what = Piece::refused,
            .status = 400,
            .message = "The request's body is malformed.",
            .detail = "a body of gRPC-Web text is not base64"};
  }

  BodySource& from_;
  std::string waiting_, decoded_;
};

class WebSink final : public ThroughSink {
 public:
  WebSink(ReplySink& to, bool text, std::string_view origin) : ThroughSink(to), text_(text), origin_(origin) {}

  io::Task<Result<void>> begin(http::ResponseHead& head, bool has_body) override {
    const std::string_view type = head.fields.get("content-type");
    web_ = type == kGrpc || type.starts_with("application/grpc+");
    if (!web_) return to_.begin(head, has_body);
    type_ = std::string(text_ ? kText : kWeb) + std::string(type.substr(kGrpc.size()));
    head.fields.remove_if([](const http::Field& each) { return http::same_name(each.name, "content-type"); });
    head.fields.add({"Content-Type", type_});
    if (!origin_.empty()) {
      head.fields.add({"Access-Control-Allow-Origin", origin_});
      head.fields.add({"Access-Control-Expose-Headers", "grpc-status, grpc-message"});
      head.fields.add({"Vary", "Origin"});
    }
    if (has_body) head.framing = {};  // the trailers come behind it
    has_body_ = has_body;
    return to_.begin(head, has_body);
  }
  io::Task<Result<void>> data(std::string_view piece) override {
    if (!web_ || !text_) return to_.data(piece);
    waiting_.append(piece);
    return send_text(waiting_.size() / 3 * 3);
  }
  /// What is waited for by a page must not wait for two more bytes.
  io::Task<Result<void>> flush() override {
    CO_TRY(co_await send_text(waiting_.size()));
    co_return co_await to_.flush();
  }
  io::Task<Result<void>> end(const http::Fields* trailers) override {
    if (!web_ || !has_body_) co_return co_await to_.end(trailers);
    if (trailers) {
      const std::string frame = frame_of(*trailers);
      CO_TRY(co_await data(frame));
    }
    CO_TRY(co_await send_text(waiting_.size()));
    co_return co_await to_.end(nullptr);
  }

 private:
  static std::string frame_of(const http::Fields& trailers) {
    std::string lines;
    for (const http::Field& field : trailers)
      lines.append(lower(field.name)).append(": ").append(field.value).append("\r\n");
    std::string frame(1, static_cast<char>(0x80));
    for (int shift = 24; shift >= 0; shift -= 8) frame += static_cast<char>(lines.size() >> shift & 0xff);
    return frame + lines;
  }
  io::Task<Result<void>> send_text(std::size_t size) {
    if (size == 0) co_return Result<void>{};
    const std::string text = encode_base64(std::string_view(waiting_).substr(0, size));
    waiting_.erase(0, size);
    co_return co_await to_.data(text);
  }

  bool text_, web_ = false, has_body_ = false;
  std::string_view origin_;
  std::string type_, waiting_;
};

class Web final : public Handler {
 public:
  Web(GrpcWeb action, Place place) : action_(std::move(action)), next_(std::move(place.next)) {}

  io::Task<Outcome> handle(Request& request, ReplySink& reply) const override {
    const std::string origin = allowed(request.head.fields.get("origin"));
    const bool asks = request.head.method == "OPTIONS" && request.head.fields.find("access-control-request-method");
    if (asks && !origin.empty()) co_return co_await preflight(request, reply, origin);
    const std::string type(request.head.fields.get("content-type"));
    const bool web = request.head.method == "POST" && type.starts_with(kWeb);
    if (!web) co_return co_await next_->handle(request, reply);
    const bool text = type.starts_with(kText);
    tell_grpc(request, std::string_view(type).substr(text ? kText.size() : kWeb.size()));
    BodySource& whole = *request.body;
    TextBody decoded(whole);
    if (text) request.body = &decoded;
    WebSink sink(reply, text, origin);
    const Outcome outcome = co_await next_->handle(request, sink);
    request.body = &whole;
    co_return outcome;
  }

 private:
  std::string allowed(std::string_view origin) const {
    const bool known = std::ranges::count(action_.origins, origin) || std::ranges::count(action_.origins, "*");
    return known && http::is_field_value(origin) ? std::string(origin) : std::string();
  }

  static void tell_grpc(Request& request, std::string_view suffix) {
    http::Fields& fields = request.head.fields;
    static constexpr std::string_view kOwn[] = {"content-type", "accept", "te", "x-grpc-web"};
    fields.remove_if([](const http::Field& each) {
      return std::ranges::any_of(kOwn, [&](std::string_view name) { return http::same_name(each.name, name); });
    });
    fields.add({"Content-Type", request.keep(std::string(kGrpc) + std::string(suffix))});
    fields.add({"TE", "trailers"});
    if (request.body->state() != BodySource::State::none) request.head.framing = {.chunked = true, .length = {}};
  }

  static io::Task<Outcome> preflight(Request& request, ReplySink& reply, const std::string& origin) {
    http::ResponseHead& head = request.work.reply;
    const std::string names(request.head.fields.get("access-control-request-headers"));
    head.status = 204;
    head.framing = {};
    head.fields.clear();
    head.fields.add({"Access-Control-Allow-Origin", origin});
    head.fields.add({"Access-Control-Allow-Methods", "POST"});
    if (!names.empty()) head.fields.add({"Access-Control-Allow-Headers", names});
    head.fields.add({"Access-Control-Max-Age", "600"});
    head.fields.add({"Vary", "Origin"});
    auto sent = co_await reply.begin(head, false);
    if (sent) sent = co_await reply.end(nullptr);
    co_return Outcome{.detail = sent ? "" : "the client is gone"};
  }

  GrpcWeb action_;
  HandlerPtr next_;
};

}  // namespace

HandlerPtr make_handler(const GrpcWeb& action, Place place) {
  return std::make_shared<Web>(action, std::move(place));
}

}  // namespace berth::edge
