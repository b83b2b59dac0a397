// Replies compressed on their way.
#include <algorithm>

#include "base/text.h"
#include "edge/encoder.h"
#include "edge/middlewares.h"
#include "edge/sink.h"

namespace berth::edge {
namespace {

/// What is compressed already, or must arrive message by message.
bool is_dense(std::string_view type) {
  static constexpr std::string_view kDense[] = {"image/",           "video/",           "audio/",
                                                "font/woff",        "application/zip",  "application/gzip",
                                                "application/grpc", "application/zstd", "application/x-7z"};
  if (type == "image/svg+xml" || type == "image/x-icon" || type == "image/bmp") return false;
  return std::ranges::any_of(kDense, [&](std::string_view each) { return type.starts_with(each); });
}

std::string type_of(const http::ResponseHead& head) {
  return lower(trim(cut(head.fields.get("content-type"), ';').before));
}

class CompressingSink final : public ThroughSink {
 public:
  CompressingSink(ReplySink& to, const Compress& action, std::string_view encoding)
      : ThroughSink(to), action_(action), encoding_(encoding) {}

  io::Task<Result<void>> begin(http::ResponseHead& head, bool has_body) override {
    if (is_wanted(head)) {
      add_vary(head);
      if (!encoding_.empty()) encoder_ = make_encoder(encoding_);
      if (encoder_) change(head);
      if (!has_body) encoder_ = nullptr;
    }
    return to_.begin(head, has_body);
  }
  io::Task<Result<void>> data(std::string_view piece) override {
    if (!encoder_) return to_.data(piece);
    return put(piece, Encoder::Then::more);
  }
  io::Task<Result<void>> flush() override {
    if (!encoder_ || !held_) return to_.flush();
    return flush_all();
  }
  io::Task<Result<void>> end(const http::Fields* trailers) override {
    if (!encoder_) return to_.end(trailers);
    return end_all(trailers);
  }

 private:
  /// Whether the reply would be compressed for a client that accepts it.
  bool is_wanted(const http::ResponseHead& head) const {
    const bool ranged = head.status == 206 || head.fields.find("content-range");
    if (head.status < 200 || head.status == 204 || head.status == 304 || ranged) return false;
    const http::Fields& fields = head.fields;
    if (fields.find("content-encoding") || fields.has_token("cache-control", "no-transform")) return false;
    if (head.framing.length.value_or(action_.least) < action_.least) return false;
    const std::string type = type_of(head);
    if (type.starts_with("application/grpc")) return false;
    if (!action_.included.empty()) return std::ranges::count(action_.included, type) > 0;
    return !is_dense(type) && !std::ranges::count(action_.excluded, type);
  }
  static void add_vary(http::ResponseHead& head) {
    if (!head.fields.has_token("vary", "Accept-Encoding") && !head.fields.has_token("vary", "*")) {
      head.fields.add({"Vary", "Accept-Encoding"});
    }
  }
  void change(http::ResponseHead& head) {
    const std::string_view tag = head.fields.get("etag");
    // The bytes are others now: only a weak tag holds for both.
    if (tag.starts_with('"')) tag_ = "W/" + std::string(tag);
    head.fields.remove_if([&](const http::Field& field) {
      return http::same_name(field.name, "accept-ranges") || http::same_name(field.name, "content-md5") ||
             http::same_name(field.name, "content-digest") || (!tag_.empty() && http::same_name(field.name, "etag"));
    });
    if (!tag_.empty()) head.fields.add({"ETag", tag_});
    head.fields.add({"Content-Encoding", encoding_});
    head.framing = {};
  }

  io::Task<Result<void>> put(std::string_view piece, Encoder::Then then) {
    held_ = held_ || !piece.empty();
    out_.clear();
    if (!encoder_->put(piece, then, out_)) co_return fail(Code::internal, "the reply cannot be compressed");
    if (!out_.empty()) CO_TRY(co_await to_.data(out_));
    co_return Result<void>{};
  }
  io::Task<Result<void>> flush_all() {
    CO_TRY(co_await put({}, Encoder::Then::flush));
    held_ = false;
    co_return co_await to_.flush();
  }
  io::Task<Result<void>> end_all(const http::Fields* trailers) {
    CO_TRY(co_await put({}, Encoder::Then::end));
    co_return co_await to_.end(trailers);
  }

  const Compress& action_;
  std::string_view encoding_;
  std::unique_ptr<Encoder> encoder_;
  std::string out_, tag_;
  bool held_ = false;  ///< the encoder may hold bytes that nobody can read yet
};

class Compressing final : public Handler {
 public:
  Compressing(Compress action, Place place) : action_(std::move(action)), next_(std::move(place.next)) {}

  io::Task<Outcome> handle(Request& request, ReplySink& reply) const override {
    const auto accepted = request.head.fields.find("accept-encoding");
    const std::string_view encoding =
        accepted ? choose_encoding(*accepted, action_.encodings) : std::string_view(action_.fallback);
    CompressingSink sink(reply, action_, encoding);
    co_return co_await next_->handle(request, sink);
  }

 private:
  Compress action_;
  HandlerPtr next_;
};

}  // namespace

HandlerPtr make_handler(const Compress& action, Place place) {
  return std::make_shared<Compressing>(action, std::move(place));
}

}  // namespace berth::edge
