#include "api/terminal.h"

#include <algorithm>

namespace berth::api {
namespace {

using http::CloseCode;
using Kind = http::WebSocketMessage::Kind;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::size_t kPiece = 32u << 10;       // of output in one frame
constexpr std::size_t kRead = 16u << 10;        // of a socket
constexpr std::size_t kMostMessage = 1u << 20;  // a long text that is pasted comes as one
constexpr auto kPing = seconds(20), kLost = seconds(60), kGoodbye = seconds(2);
constexpr auto kLife = minutes(15);
constexpr std::string_view kEnd = "\x03\x04";

io::Task<Result<void>> happens(io::Event& event) {
  co_return co_await event.wait();
}

}  // namespace

void Backlog::add(std::string_view bytes) {
  end_ += bytes.size();
  kept_.append(bytes.substr(bytes.size() - std::min(bytes.size(), most_)));
  if (kept_.size() > most_) kept_.erase(0, kept_.size() - most_);
}

std::string_view Backlog::from(std::uint64_t place, std::size_t count) const {
  if (place >= end_) return {};
  const std::uint64_t skipped = std::max(place, oldest()) - oldest();
  return std::string_view(kept_).substr(static_cast<std::size_t>(skipped), count);
}

/// One socket. Only send() writes to it; what others have to say waits in `controls`.
struct Terminal::Session {
  std::uint64_t sent = 0;  ///< place in the output
  std::string controls{};
  bool over = false;    ///< `controls` end with a Close; nothing follows
  bool lost = false;    ///< the client hung up
  bool typing = false;  ///< input waits for the program: silence of the client is ours
  io::Time heard{}, end{};
  io::Event stir{}, gone{};
};

Terminal::Terminal(TerminalAbout about, std::shared_ptr<engine::Client> client, std::string exec,
                   engine::Attachment line)
    : about_(std::move(about)), client_(std::move(client)), exec_(std::move(exec)), line_(std::move(line)) {}

void Terminal::stir() {
  if (session_) session_->stir.set();
}

io::Task<void> Terminal::read() {
  io::Cancel stop((co_await io::here()).cancel);
  reading_ = &stop;
  co_await pump().under(stop);
  reading_ = nullptr;
  co_await learn_status();
  ended_ = true;
  changed_.set();
  stir();
}

io::Task<void> Terminal::pump() {
  while (true) {
    const auto piece = co_await line_.next();
    if (!piece || !*piece) co_return;
    if (!co_await room((*piece)->bytes.size())) co_return;
    backlog_.add((*piece)->bytes);
    stir();
  }
}

// Waits until nothing that the socket did not get would be dropped.
io::Task<bool> Terminal::room(std::size_t size) {
  while (session_ && backlog_.end() + size - session_->sent > kKept) {
    drained_.reset();
    if (!co_await drained_.wait()) co_return false;
  }
  co_return true;
}

// The engine may close the output a moment before it knows the status.
io::Task<void> Terminal::learn_status() {
  for (int i = 0; i < 10 && !status_; ++i) {
    const auto status = co_await engine::exec_status(*client_, exec_);
    if (status) status_ = *status;
    if (!status && (status.error().code != Code::conflict || !co_await io::sleep_for(milliseconds(50)))) co_return;
  }
}

io::Task<Result<void>> Terminal::type(std::string_view bytes) {
  CO_TRY(co_await typing_.acquire());
  auto done = co_await line_.write(bytes);
  typing_.release();
  co_return done;
}

io::Task<Result<void>> Terminal::type_end() {
  co_return co_await type(kEnd);
}

io::Task<void> Terminal::hang_up() {
  for (int i = 0; i < 3 && !ended_; ++i) {
    const auto typed = co_await io::within(seconds(1), type_end());
    if (!typed) break;
    changed_.reset();
    if (!ended_) static_cast<void>(co_await io::within(milliseconds(300), happens(changed_)));
  }
  if (reading_) reading_->request();
}

io::Task<void> Terminal::resize(std::int64_t columns, std::int64_t rows) {
  constexpr std::int64_t kMost = 1000;
  if (columns < 1 || rows < 1) co_return;
  // One that has ended has no size any more.
  static_cast<void>(co_await engine::resize_exec(*client_, exec_, static_cast<int>(std::min(columns, kMost)),
                                                 static_cast<int>(std::min(rows, kMost))));
}

void Terminal::finish(Session& session, CloseCode code, std::string_view why) {
  if (std::exchange(session.over, true)) return;
  http::append_close(session.controls, code, why);
  session.stir.set();
}

io::Task<Result<void>> Terminal::converse(http::Upgraded& socket) {
  const io::Context context = co_await io::here();
  if (session_) finish(*session_, CloseCode::normal, "another connection took the terminal over");
  const io::Time now = context.loop->now();
  Session session{.sent = backlog_.oldest(), .heard = now, .end = now + kLife};
  session_ = &session;
  changed_.set();
  drained_.set();
  io::Scope scope(context);
  scope.spawn(receive(socket, session));
  co_await send(socket, session);
  socket.shutdown_write();
  // A client that was not heard to its end would lose the Close that is under way.
  static_cast<void>(co_await io::within(kGoodbye, happens(session.gone)));
  scope.cancel();
  co_await scope.join();
  if (session_ == &session) session_ = nullptr;
  changed_.set();
  drained_.set();
  co_return Result<void>{};
}

io::Task<void> Terminal::receive(http::Upgraded& socket, Session& session) {
  io::Loop& loop = *(co_await io::here()).loop;
  http::WebSocketReader reader(kMostMessage);
  std::vector<char> buffer(kRead);
  while (true) {
    const auto count = co_await socket.read(buffer);
    if (!count || *count == 0) break;
    session.heard = loop.now();
    if (session.over) continue;
    reader.feed({buffer.data(), *count});
    while (auto message = reader.next()) co_await take(std::move(*message), session);
  }
  session.lost = true;
  session.gone.set();
  session.stir.set();
}

io::Task<void> Terminal::take(http::WebSocketMessage message, Session& session) {
  if (session.over) co_return;
  switch (message.kind) {
    case Kind::binary:
      session.typing = true;
      static_cast<void>(co_await type(message.payload));  // one that has ended reads no more; read() tells
      session.typing = false;
      break;
    case Kind::text:
      co_await command(message.payload, session);
      break;
    case Kind::ping:
      http::append_frame(session.controls, Kind::pong, message.payload);
      session.stir.set();
      break;
    case Kind::pong:
      break;
    case Kind::close:
      finish(session, message.code, {});
      break;
    case Kind::broken:
      finish(session, message.code, message.payload);
      break;
  }
}

io::Task<void> Terminal::command(std::string_view text, Session& session) {
  const auto said = parse_json(text);
  if (said && said->contains("resize")) {
    const Json& size = (*said)["resize"];
    co_await resize(size["cols"].integer(), size["rows"].integer());
    co_return;
  }
  finish(session, CloseCode::policy, "a text frame is {\"resize\": {\"cols\", \"rows\"}}");
}

// What is to be sent now.
std::string Terminal::gather(Session& session, io::Time now) {
  if (!session.over) {
    const std::string_view output = backlog_.from(session.sent, kPiece);
    if (!output.empty()) {
      http::append_frame(session.controls, Kind::binary, output);
      session.sent = std::max(session.sent, backlog_.oldest()) + output.size();
    } else if (ended_) {
      if (status_) http::append_frame(session.controls, Kind::text, Json::object({{"exit", *status_}}).dump());
      finish(session, CloseCode::normal, "the program ended");
    } else if (now >= session.end) {
      finish(session, CloseCode::going_away, "come again with a new ticket");
    }
  }
  return std::exchange(session.controls, {});
}

io::Task<void> Terminal::send(http::Upgraded& socket, Session& session) {
  const io::Context context = co_await io::here();
  while (!session.lost) {
    session.stir.reset();
    const std::string out = gather(session, context.loop->now());
    if (!out.empty()) {
      const auto sent = co_await io::within(kLost, socket.write(out));
      drained_.set();
      if (!sent || session.over) co_return;
      continue;
    }
    if (session.over) co_return;
    const auto stirred = co_await io::within(kPing, happens(session.stir));
    if (stirred) continue;
    const bool silent = !session.typing && context.loop->now() - session.heard >= kLost;
    if (context.cancel->requested() || silent) co_return;
    http::append_frame(session.controls, Kind::ping, {});
  }
}

}  // namespace berth::api
