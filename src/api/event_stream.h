// Replies that go on for as long as the client listens.
#pragma once

#include <functional>
#include <string>

#include "api/route.h"
#include "http/sse.h"
#include "job/feed.h"

namespace berth::api {

/// One client's server-sent events: a head that nobody may keep, events, and a comment after 15 s of silence, by which
/// a client that is gone is found out. Thread: its loop's.
class EventReply {
 public:
  explicit EventReply(http::ResponseWriter& response) : response_(response) {}
  io::Task<Result<void>> begin();
  /// Texts of append_event(), sent at once.
  io::Task<Result<void>> send(std::string_view events) { return response_.write(events); }
  io::Task<Result<void>> finish() { return response_.finish(); }

 private:
  http::ResponseWriter& response_;
};

/// 426 for a request that is no handshake, with the reason.
io::Task<Result<void>> refuse_websocket(Call& call, Error why);

/// What a follower's events become: appends to `out` what this client shall see of `event`.
using Render = std::function<void(std::string& out, const job::FeedEvent& event)>;

/// Lines of a job or of anything whose events are shown as they are: number, kind, text; "gap" where some were lost.
void append_batch(std::string& out, const job::Follower::Batch& batch);

/// Sends what a follower gives until the feed or the client ends. What it lost comes as event "gap" {"lost": n}, a
/// position of another life as "reset". After a quarter of an hour it ends, and clients come again with their
/// Last-Event-ID: who asks is looked up anew.
io::Task<Result<void>> send_feed(EventReply& reply, job::Follower& follower, const Render& render);

}  // namespace berth::api
