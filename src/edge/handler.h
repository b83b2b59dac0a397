// The seam of the data plane: a client's end gives a Request with its body and takes a reply; handlers stand between.
// Client ends are h1 and h2; handlers are the exchange with an upstream, own answers, and middlewares before them.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "edge/forward.h"
#include "io/stream.h"

namespace berth::edge {

struct Shared;
class Live;
class ReplyTap;

/// Where one reply goes: begin, data as often as wanted, end; or upgrade instead of begin. Each returns once the client
/// took what cannot be held back (backpressure), and fails when the client is gone or reads nothing for
/// `stall_timeout`: the handler then only ends. What was given is held until flush() or end(), or until it is worth a
/// write, so that a head and a small body leave together. Thread: its loop's.
class ReplySink {
 public:
  virtual ~ReplySink() = default;
  /// An interim reply before begin() (102, 103); a client's end that cannot carry it drops it.
  virtual io::Task<Result<void>> interim(http::ResponseHead& head);
  /// `head` has no fields of a connection (clean_reply) and may be changed by those who wrap the sink; its views are
  /// not kept. `framing.length` is what Content-Length says; with a body and without length the body's end is marked.
  virtual io::Task<Result<void>> begin(http::ResponseHead& head, bool has_body) = 0;
  /// REQUIRES: begun with a body, or upgraded. `piece` is not kept.
  virtual io::Task<Result<void>> data(std::string_view piece) = 0;
  virtual io::Task<Result<void>> flush() = 0;
  /// Where bytes of the body may go past data(), sent_directly() telling how many; null: not here, or not now.
  virtual io::Stream* direct() { return nullptr; }
  virtual void sent_directly(std::uint64_t /*count*/) {}
  /// `trailers` may be null; an end that cannot carry them drops them. Without end() the client sees a cut reply.
  virtual io::Task<Result<void>> end(const http::Fields* trailers) = 0;
  /// A WebSocket was accepted: from here on data() and the request's body are the bytes of the tunnel; end() ends this
  /// direction only.
  virtual io::Task<Result<void>> upgrade(http::ResponseHead& head) = 0;
};

/// A request's body, piece by piece, and whether its client is still there. One reader at a time. Thread: its loop's.
class BodySource {
 public:
  enum class State {
    none,     ///< there is none
    pending,  ///< nobody read of it; a client that expects it was not told to continue
    running,
    done,
    broken,  ///< malformed, too large, or abandoned
  };
  struct Piece {
    enum What {
      wait,     ///< nothing here now: more(), then again
      some,     ///< `data` is valid until the next take() or more()
      end,      ///< trailers() is known
      refused,  ///< answer `status` with `message`; `detail` is for the log
    };
    What what = wait;
    std::string_view data{};
    int status = 0;
    std::string_view message{}, detail{};
  };

  virtual ~BodySource() = default;
  State state() const { return state_; }
  /// Never waits.
  virtual Piece take() = 0;
  /// Waits until take() has more to say; the first call tells a client that expects it to continue. Code::timeout when
  /// nothing came for `stall_timeout`, Code::cancelled when the client is gone.
  virtual io::Task<Result<void>> more() = 0;
  /// Returns true when the client goes away; false when cancelled or when it cannot be known any more. Not while
  /// another coroutine is in more().
  virtual io::Task<bool> gone() = 0;
  /// The fields behind the body, or null.
  virtual const http::Fields* trailers() const { return nullptr; }
  /// Nobody reads the rest of what was begun to be read.
  void abandon_running() {
    if (state_ == State::running) state_ = State::broken;
  }

 protected:
  State state_ = State::none;
};

/// What a client's end counts for the log.
struct Tally {
  int status = 0;  ///< as sent; 0: nothing was
  std::uint64_t sent = 0, received = 0;
  bool complete = false;  ///< the reply was ended
};

/// The memory of one request; reused by the next one of the loop, so that steady traffic allocates nothing.
struct Workspace {
  http::RequestHead head;
  http::ResponseHead reply;
  Rewritten rewritten;
  std::string to_upstream, upload, to_client;  ///< bytes on their way
  std::string host, path;                      ///< behind Request::host and path when those are not as sent
  std::string cache_key, scratch;              ///< for the work of the cache
  std::deque<std::string> kept;
  std::shared_ptr<const Live> later;  ///< what a request goes on with that was held meanwhile; else null
  void clear() {
    to_upstream.clear();
    upload.clear();
    to_client.clear();
    kept.clear();
    later.reset();
  }
};

/// One request as handlers see it. Middlewares may change `head.fields`, `rewritten` and `body`.
struct Request {
  Shared& shared;    ///< what the loop's requests share, with the state of middlewares
  const Live& live;  ///< the snapshot that it began with
  const Hop& hop;
  Workspace& work;
  http::RequestHead& head;  ///< its framing is what goes to the upstream
  Rewritten& rewritten;     ///< the path for the upstream
  BodySource* body;         ///< never null
  Tally& tally;
  // From here on set by answer() before any handler runs.
  std::string_view host{};  ///< canonical
  std::string_view path{};  ///< canonical, as sent
  Ip client{};              ///< the peer, or what a trusted proxy says
  const Routes::Entry* entry = nullptr;
  std::uint32_t rank = ~std::uint32_t{0};  ///< of the entry in its table, where the table was asked
  const Service* service = nullptr;        ///< the entry's, or what a group or middleware chose instead
  std::size_t first = 0;                   ///< the upstream of the service that is asked first
  ReplyTap* tap = nullptr;                 ///< between the exchange and its upstream; outlives the exchange

  /// Keeps `text` as long as the request, for a field's value.
  std::string_view keep(std::string text) { return work.kept.emplace_back(std::move(text)); }
  bool wants_websocket() const;
};

/// How a request was handled.
struct Outcome {
  int own_status = 0;          ///< nothing was sent: answer this yourself; 0: all is said, or the client is gone
  std::string_view message{};  ///< one constant sentence for the client
  std::string location{};      ///< for 3xx
  std::string detail{};        ///< for the log
  const Upstream* target = nullptr;
  std::chrono::nanoseconds upstream{};  ///< with upstreams
  int retries = 0;                      ///< connections and upstreams beyond the first
  std::string_view cache{};             ///< for the log: "hit", "miss" and so on; "" where nothing is cached
};

/// Answers a request. Immutable and shared by all loops; what it has to remember is in Shared. A middleware holds the
/// next handler and may answer itself, change the request, wrap the sink, look at the outcome, or call next again: as
/// long as `own_status` is set nothing was sent, and a body whose state is none or pending was not touched.
class Handler {
 public:
  virtual ~Handler() = default;
  /// `request` and `reply` outlive the task.
  virtual io::Task<Outcome> handle(Request& request, ReplySink& reply) const = 0;
};

/// An outcome that needs no waiting.
io::Task<Outcome> answered(Outcome outcome);

}  // namespace berth::edge
