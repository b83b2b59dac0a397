// Where a log is sent to: server-sent events, text, or a WebSocket.
#pragma once

#include <optional>

#include "api/event_stream.h"
#include "api/log_form.h"
#include "http/websocket.h"
#include "http/wire.h"

namespace berth::api {

/// One client's reply. Thread: its loop's.
class LogOutlet {
 public:
  LogOutlet(Call& call, LogForm form) : call_(call), form_(form) {}
  LogForm form() const { return form_; }

  /// The head; of a WebSocket the handshake.
  io::Task<Result<void>> begin();
  /// Texts of append_line() and append_gap().
  io::Task<Result<void>> send(std::string_view text);
  /// A sign of life, by which a client that is gone is found out. Text has none.
  io::Task<Result<void>> beat();
  enum class End {
    ended,  ///< nothing will come any more
    again,  ///< come again: who asks is looked up anew
  };
  io::Task<Result<void>> finish(End end);
  /// Of a WebSocket: takes what the client says until it is gone, then requests `stop`.
  io::Task<void> hear(io::Cancel& stop);
  /// Until the client of a WebSocket is gone, or for a moment: it would lose the Close that is under way.
  io::Task<void> linger();

 private:
  io::Task<Result<bool>> take(http::WebSocketMessage message);

  Call& call_;
  LogForm form_;
  std::optional<http::Upgraded> socket_;
  io::Semaphore writing_{1};
  io::Event gone_{};
};

}  // namespace berth::api
