// An exchange with an upstream that does not speak HTTP/1.1: what the edge's side of it needs.
#pragma once

#include <string_view>

#include "http/head.h"
#include "io/task.h"

namespace berth::edge {

struct Request;

/// One exchange; what is left of it ends with this. One coroutine may send while another reads. Thread: its loop's.
class UpstreamSession {
 public:
  /// How an exchange begins.
  struct Opening {
    std::string_view head;  ///< as it would be sent to an upstream that speaks HTTP/1.1
    bool has_body = false, takes_trailers = false;
    const Request& request;
  };
  /// Why it failed, where the client should know: `status` is not 0 then; the message is a constant.
  struct Refusal {
    int status = 0;
    std::string_view message{};
  };

  virtual ~UpstreamSession() = default;

  /// Queues the head.
  virtual Result<void> begin(const Opening& opening) = 0;
  /// Sends body and waits until there is room for more.
  virtual io::Task<Result<void>> send(std::string_view data) = 0;
  virtual void end_body(const http::Fields* trailers) = 0;
  /// Writes what is queued.
  virtual io::Task<Result<void>> flush() = 0;

  /// Waits for the reply's head, interim ones left out; its views live until the next begin(). Code::unavailable when
  /// the upstream closes or resets before.
  virtual io::Task<Result<void>> read_head(http::ResponseHead& head) = 0;
  /// The upstream says that it did nothing for the request.
  virtual bool refused() const { return false; }
  /// A request that was refused may be made again with the begin of its body, which send() takes without waiting.
  virtual bool takes_again() const { return false; }
  /// The connection ended without a byte of an answer.
  virtual bool unanswered() const { return false; }
  virtual Refusal refusal() const { return {}; }
  virtual bool has_body() const = 0;
  /// What came of the body and was not taken, for one look; take it by consume().
  virtual std::string_view unread() const = 0;
  virtual void consume() = 0;
  /// Whether more() would wait.
  virtual bool waits() const = 0;
  /// Waits for more; false at the body's end.
  virtual io::Task<Result<bool>> more() = 0;
  /// After the end: null when there are none.
  virtual const http::Fields* trailers() const { return nullptr; }
};

}  // namespace berth::edge
