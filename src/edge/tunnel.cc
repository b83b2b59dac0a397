#include "edge/tunnel.h"

namespace berth::edge {
namespace {

io::Task<Result<void>> session_down(UpstreamSession& from, ReplySink& to) {
  while (true) {
    if (!from.unread().empty()) CO_TRY(co_await to.data(from.unread()));
    from.consume();
    CO_TRY(co_await to.flush());
    if (!CO_TRY(co_await from.more())) co_return co_await to.end(nullptr);
  }
}

}  // namespace

io::Task<Result<void>> tunnel_up(BodySource& from, UpstreamLink& to) {
  while (true) {
    const BodySource::Piece piece = from.take();
    if (piece.what == BodySource::Piece::end) break;
    if (piece.what == BodySource::Piece::refused) co_return fail(Code::invalid, std::string(piece.detail));
    if (piece.what == BodySource::Piece::some)
      CO_TRY(co_await (to.session ? to.session->send(piece.data) : io::write_all(to.stream(), piece.data)));
    else
      CO_TRY(co_await from.more());
  }
  if (to.session)
    to.session->end_body(nullptr);
  else
    to.stream().shutdown_write();
  co_return Result<void>{};
}

io::Task<Result<void>> tunnel_down(UpstreamLink& from, ReplySink& to) {
  if (from.session) co_return co_await session_down(*from.session, to);
  while (true) {
    const std::string_view bytes = from.unread();
    if (!bytes.empty()) CO_TRY(co_await to.data(bytes));
    from.consume(bytes.size());
    CO_TRY(co_await to.flush());
    if (!CO_TRY(co_await from.fill())) co_return co_await to.end(nullptr);
  }
}

}  // namespace berth::edge
