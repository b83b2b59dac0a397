// A connection to an upstream that speaks HTTP/2, shared by the exchanges of one loop.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/h2_session.h"
#include "http/head.h"
#include "io/stream.h"

namespace berth::edge {

/// One stream of a trunk. What its reply brings is kept until it is taken; the stream's window bounds it.
struct H2Branch : http::H2Stream {
  struct Block {
    std::string text;
    std::vector<std::array<std::uint32_t, 3>> spans;  ///< where in it a name and its value begin, and the value's end
    void clear();
    void add(std::string_view name, std::string_view value);
    void show(http::Fields& to) const;  ///< at most http::Fields::kMost
  };
  Block head, tail;
  http::Fields trailers_in;
  std::string in;     ///< of the body
  std::string shown;  ///< what somebody looks at while more comes
  int status = 0;
  std::optional<std::uint64_t> length;
  io::Event came;  ///< something for the one who reads
  io::Event room;  ///< less waits to be sent, or nothing more will be
  bool open = false, head_ended = false;
  bool refused = false;   ///< the upstream did nothing for the request (RFC 9113 8.7)
  bool lost = false;      ///< the connection ended before the stream did
  bool released = false;  ///< nobody uses it any more
  io::Time since{};       ///< of its request
  void begin();
};

struct H2TrunkOptions {
  std::string_view scheme;             ///< a constant
  io::Duration idle{};                 ///< without a stream, before it is closed
  io::Duration read_idle{};            ///< of silence before a ping; 0: no pings
  io::Duration ping{};                 ///< for its answer
  std::shared_ptr<io::Event> changed;  ///< set when `is_settled()` or `is_over()` may be another
};

/// Streams harm each other in nothing but the connection they share: each has a window of its own, and what one does
/// not take holds up none of the others. Thread: its loop's.
class H2Trunk final : http::H2Events {
 public:
  H2Trunk(io::Loop& loop, std::unique_ptr<io::Stream> stream, H2TrunkOptions options, io::Cancel& parent);
  /// Reads and writes until the connection's end, which retire() and the peer bring about; closes it.
  static io::Task<void> run(std::shared_ptr<H2Trunk> trunk);

  /// Further streams that may be opened now: of an unsettled one the first.
  std::size_t room() const;
  /// The peer said how many streams it takes.
  bool is_settled() const { return session_.is_settled(); }
  /// No stream can be opened any more.
  bool is_over() const { return retired_ || ended_; }
  bool is_idle() const { return used_.empty(); }
  io::Event& changed() { return *options_.changed; }
  bool takes_websockets() const { return session_.allows_connect_protocol(); }
  /// Looks, where no stream is open, at what came meanwhile: its end, perhaps.
  bool is_fresh();
  /// The streams there are may finish; then it is closed.
  void retire();
  std::string_view scheme() const { return options_.scheme; }
  const std::string& why() const { return why_; }  ///< it ended

  /// A stream to be opened by request(). REQUIRES: room() > 0.
  H2Branch& take();
  /// Resets it when it has not ended.
  void release(H2Branch& branch);
  /// False: the connection takes no more.
  bool request(H2Branch& branch, const std::vector<http::H2Session::Field>& fields, bool has_body);
  /// `branch.out` or its end changed.
  void push(H2Branch& branch);
  /// What was shown of it is gone: the peer may send more.
  void consume(H2Branch& branch);

 private:
  /// Silence that is to be broken, or to be the end.
  class Watch final : public io::Timer {
   public:
    explicit Watch(H2Trunk& trunk) : Timer(trunk.loop_), trunk_(trunk) {}

   private:
    void fire() override { trunk_.look(); }
    H2Trunk& trunk_;
  };
  http::H2Stream* on_begin(std::int32_t) override { return nullptr; }
  void on_field(http::H2Stream& stream, std::string_view name, std::string_view value) override;
  void on_fields_end(http::H2Stream& stream) override;
  void on_data(http::H2Stream& stream, std::string_view data) override;
  void on_in_end(http::H2Stream& stream) override;
  void on_sent(http::H2Stream& stream) override;
  void on_close(http::H2Stream& stream, std::uint32_t error) override;

  io::Task<void> read();
  io::Task<void> write();
  io::Task<void> write_frames();
  bool feed(std::string_view bytes);
  void wake();
  void end(std::string why);
  void lose_all();
  void recycle(H2Branch& branch);
  void look();
  void watch();

  io::Loop& loop_;
  std::unique_ptr<io::Stream> stream_;
  H2TrunkOptions options_;
  io::Cancel reading_, writing_;
  std::vector<std::unique_ptr<H2Branch>> used_, free_;
  http::H2Session session_;
  Watch watch_{*this};
  io::Event wake_;
  std::string batch_, why_;
  io::Time last_read_, last_used_;
  std::optional<io::Time> pinged_;
  bool retired_ = false;  ///< no new streams
  bool ended_ = false;    ///< nothing is read any more
  bool settled_ = false;  ///< told
};

}  // namespace berth::edge
