// A client's end that speaks HTTP/2: one request and its reply on one stream of a connection.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "edge/h2_head.h"
#include "edge/pace.h"
#include "edge/shared.h"
#include "http/h2_session.h"

namespace berth::edge {

/// What the streams of a connection share. Thread: its loop's.
struct H2Link {
  explicit H2Link(http::H2Events& events, const Settings& settings)
      : session({.header_bytes = static_cast<std::uint32_t>(settings.header_bytes)}, events) {}
  http::H2Session session;
  io::Event wake;                                ///< the session has something to send
  std::vector<http::H2Session::Field> fields{};  ///< of a reply's head; reused
};

/// Thread: its loop's. Used for one request after the other.
class H2Client final : public http::H2Stream, public ReplySink, public BodySource {
 public:
  H2Client(Shared& shared, H2Link& link) : shared_(shared), link_(link) {}
  /// Forgets the last request; what runs for the next one ends with `parent`.
  void begin_request(io::Cancel* parent);

  // What the connection tells.
  void field_came(std::string_view name, std::string_view value);
  /// True when the head of the request is complete with this: serve() it.
  bool fields_ended();
  void data_came(std::string_view data);
  void input_ended();
  void data_went();
  void closed(std::uint32_t error);
  bool is_closed() const { return closed_; }

  /// Answers the request and says good-bye to the stream; to be run under cancel().
  io::Task<void> serve(const Hop& hop);
  io::Cancel& cancel() { return *cancel_; }
  bool running = false;  ///< serve() has not returned
  /// Gives back what the last request held.
  void forget();

  io::Task<Result<void>> begin(http::ResponseHead& head, bool has_body) override;
  io::Task<Result<void>> data(std::string_view piece) override;
  io::Task<Result<void>> flush() override;
  io::Task<Result<void>> end(const http::Fields* trailers) override;
  io::Task<Result<void>> upgrade(http::ResponseHead& head) override;

  Piece take() override;
  io::Task<Result<void>> more() override;
  io::Task<bool> gone() override;
  const http::Fields* trailers() const override { return trailers_.size() > 0 ? &trailers_ : nullptr; }

 private:
  /// A reply that is done and not taken.
  class Leftover final : public io::Delayed {
   public:
    explicit Leftover(H2Client& client) : client_(client) {}

   private:
    void expired() override { client_.look_at_leftover(); }
    H2Client& client_;
  };
  void look_at_leftover();
  io::Task<void> answer_head(const Hop& hop);
  io::Task<bool> drained();
  io::Task<Result<void>> readable_in_time();
  bool is_paced() const;
  io::Task<Result<void>> room_in_time();
  void respond(const http::ResponseHead& head, int status, bool has_body);
  void push();
  void consume(std::size_t bytes);
  bool fits(std::size_t bytes);

  Shared& shared_;
  H2Link& link_;
  H2Head incoming_;
  std::unique_ptr<Workspace> work_;
  std::shared_ptr<const Live> live_;
  http::Parsed parsed_{};
  Tally tally_{};
  std::optional<io::Cancel> cancel_;
  std::string in_;  ///< body that waits to be read, from `read_` on
  std::size_t read_ = 0, taken_ = 0;
  Leftover leftover_{*this};
  std::size_t untaken_ = 0;  ///< bytes of it when it was looked at last
  Pace pace_;                ///< of the request's body
  Pace reading_;             ///< of the reply, where the client makes us wait
  std::uint64_t left_ = 0;   ///< of a reply with a length
  http::Fields trailers_;    ///< of the request
  io::Event readable_, room_, gone_;
  bool has_head_ = false, answered_ = false, closed_ = false, counted_ = false, has_body_ = false, raw_ = false;
};

}  // namespace berth::edge
