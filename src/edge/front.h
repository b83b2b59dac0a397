// What every request goes through, whatever protocol its client speaks.
#pragma once

#include "edge/handler.h"

namespace berth::edge {

/// Decides what answers `request` (canonical host and path, route, its chain), lets it answer, or sends the edge's own
/// page; logs it. Whether the reply is whole is in `request.tally`. The result's `detail` says why it is not.
io::Task<Outcome> answer(Request& request, ReplySink& reply);

/// Sends `outcome.own_status` as a page to a client whose request could not even be read, and logs it.
io::Task<Outcome> answer_unread(Request& request, ReplySink& reply, Outcome outcome);

/// For handlers: sends `outcome.own_status` as a page with one more field. The result says that nothing is left to
/// send.
io::Task<Outcome> answer_with(Request& request, ReplySink& reply, Outcome outcome, http::Field extra);

/// What a service that is closed for now tells everyone: plain text, since the message is a user's.
struct Closure {
  std::string_view message;
  std::uint32_t retry_after = 60;  ///< seconds
  std::string_view detail;         ///< for the log
};
io::Task<Outcome> answer_closed(Request& request, ReplySink& reply, Closure closure);

}  // namespace berth::edge
