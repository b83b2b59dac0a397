#include "auth/deed.h"

namespace berth::auth {

Result<void> execute(store::Transaction& transaction, std::string_view sql, const store::Values& values) {
  const auto count = transaction.run(sql, values);
  if (!count) return fail(count.error());
  return {};
}

Result<void> record(store::Transaction& transaction, const Deed& by, Line line) {
  job::Entry entry{.time = by.now,
                   .actor = by.who.id,
                   .name = by.who.name,
                   .from = by.who.from,
                   .verb = std::move(line.verb),
                   .subject = std::move(line.subject),
                   .project = std::move(line.project),
                   .decision = line.decision,
                   .difference = std::move(line.difference)};
  const auto number = job::append(transaction, std::move(entry));
  if (!number) return fail(number.error());
  return {};
}

}  // namespace berth::auth
