#include "store/connection.h"

#include "base/utf8.h"

namespace berth::store {
namespace {

// PostgreSQL keeps no other text, and would cut it at the NUL.
Result<void> check(const Values& parameters) {
  for (const Value& each : parameters) {
    const auto* text = std::get_if<std::string>(&each);
    if (!text) continue;
    if (text->contains('\0')) return fail(Code::invalid, "store: a text holds a NUL byte: keep it as bytes");
    if (!is_utf8(*text)) return fail(Code::invalid, "store: a text is not UTF-8: keep it as bytes");
  }
  return {};
}

}  // namespace

std::unexpected<Error> too_many_rows() {
  return fail(Code::invalid, "store: a query has more than 100000 rows: read them in pages");
}

Result<Connection::Answer> Connection::execute_or_doom(std::string_view sql, const Values& parameters) {
  if (doom_) return fail(*doom_);
  auto checked = check(parameters);
  auto answer = checked ? execute(sql, parameters) : Result<Answer>(fail(std::move(checked.error())));
  if (!answer) doom_ = answer.error();
  return answer;
}

Result<Rows> Connection::query(std::string_view sql, const Values& parameters) {
  return std::move(TRY(execute_or_doom(sql, parameters)).rows);
}

Result<std::int64_t> Connection::run(std::string_view sql, const Values& parameters) {
  return TRY(execute_or_doom(sql, parameters)).changed;
}

Result<void> Connection::transact(Kind kind, const Work& work) {
  again_ = Again::no;
  doom_.reset();
  TRY(begin(kind));
  Result<void> done = work(*this);
  if (doom_) done = fail(*doom_);
  if (!done) {
    roll_back();
    return done;
  }
  done = commit();
  if (!done) roll_back();
  return done;
}

}  // namespace berth::store
