// What streams from an engine: container output (stdcopy frames or a raw terminal), JSON values, attached terminals.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "engine/stdcopy.h"
#include "http/client.h"
#include "io/task.h"

namespace berth::engine {

/// Container output, read piece by piece. Thread: loop only. Dropping it closes its connection.
class OutputStream {
 public:
  OutputStream(http::BodyReader body, bool tty);
  /// The next piece; nullopt at the end. Its bytes live until the next call. Code::internal when a frame is broken or
  /// cut off.
  io::Task<Result<std::optional<OutputPiece>>> next();

 private:
  http::BodyReader body_;
  StdcopyReader frames_;
  std::string_view unread_;
  bool tty_;
};

/// JSON values one after the other (stats, pull and build progress), each at most 1 MiB.
class JsonStream {
 public:
  explicit JsonStream(http::BodyReader body);
  /// The next value; nullopt at the end.
  io::Task<Result<std::optional<Json>>> next();

 private:
  http::BodyReader body_;
  std::string buffer_;
  std::size_t used_ = 0;     // values before it were given
  std::size_t scanned_ = 0;  // no line end before it
};

/// A hijacked connection to a process in a container. One task may read while another one writes.
class Attachment {
 public:
  Attachment(http::Upgraded upgraded, bool tty);
  /// As OutputStream::next.
  io::Task<Result<std::optional<OutputPiece>>> next();
  /// All of `bytes` to its standard input. They must live until the task ends.
  io::Task<Result<void>> write(std::string_view bytes);
  /// End of its standard input; its output goes on.
  io::Task<Result<void>> close_input();

 private:
  http::Upgraded upgraded_;
  StdcopyReader frames_;
  std::vector<char> buffer_;
  std::string_view unread_;  // into buffer_
  bool tty_;
};

}  // namespace berth::engine
