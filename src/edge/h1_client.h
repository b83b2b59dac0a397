// A client's end that speaks HTTP/1.1: one request and its reply on a connection that may carry more of them.
#pragma once

#include "edge/handler.h"
#include "edge/pace.h"
#include "edge/snapshot.h"
#include "http/wire.h"

namespace berth::edge {

/// Made for each request whose head is pinned in `wire`. Thread: its loop's.
class H1Client final : public ReplySink, public BodySource {
 public:
  /// All outlive it; `head` is the request's.
  struct Ends {
    http::Wire& wire;
    const http::RequestHead& head;
    std::string& out;  ///< bytes on their way to the client
    Tally& tally;
    const Settings& settings;
    const bool& draining;  ///< then the connection ends with this reply
  };
  explicit H1Client(const Ends& ends);

  io::Task<Result<void>> interim(http::ResponseHead& head) override;
  io::Task<Result<void>> begin(http::ResponseHead& head, bool has_body) override;
  io::Task<Result<void>> data(std::string_view piece) override;
  io::Task<Result<void>> flush() override;
  io::Stream* direct() override;
  void sent_directly(std::uint64_t count) override;
  io::Task<Result<void>> end(const http::Fields* trailers) override;
  io::Task<Result<void>> upgrade(http::ResponseHead& head) override;

  Piece take() override;
  io::Task<Result<void>> more() override;
  io::Task<bool> gone() override;

  /// After the reply: whether the connection may carry another request.
  bool may_go_on() const;

 private:
  io::Task<Result<void>> write(std::string_view bytes);
  io::Task<Result<void>> write_rest(std::string_view bytes);
  io::Task<Result<void>> writable_in_time();
  io::Task<Result<void>> flush_and_write(std::string_view piece);
  io::Task<Result<void>> flush_after(io::Task<Result<void>> sent);
  io::Task<Result<void>> end_after(io::Task<Result<void>> sent);
  io::Task<Result<void>> begin_after_body(http::ResponseHead& head, bool has_body);
  void begin_now(http::ResponseHead& head, bool has_body, bool keep);
  io::Task<bool> skip_body();
  io::Task<Result<bool>> fill_in_time();
  Piece take_raw();
  Piece piece_of(const http::BodyDecoder::Step& step);

  Ends ends_;
  http::BodyKind kind_;
  http::BodyDecoder decoder_;
  ReplyShape shape_{};
  Pace pace_;                ///< of the request's body
  Pace reading_;             ///< of the client, where it makes us wait
  std::uint64_t given_ = 0;  ///< bytes that the socket took
  std::uint64_t left_ = 0;   ///< of a reply with a length
  std::size_t taken_ = 0;    ///< bytes at the front of the wire that the last piece viewed
  std::size_t most_;         ///< of the request's body, 0: no limit
  bool counted_ = false;     ///< the reply has a length
  bool has_body_ = false, raw_ = false, raw_ended_ = false;
};

}  // namespace berth::edge
