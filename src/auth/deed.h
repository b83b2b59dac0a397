// Who does something when, and its line in the audit.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "auth/principal.h"
#include "job/journal.h"

namespace berth::auth {

struct Deed {
  Principal who{};
  std::int64_t now = 0;  ///< microseconds since 1970
};

/// A statement whose count does not matter.
Result<void> execute(store::Transaction& transaction, std::string_view sql, const store::Values& values);

/// What the audit says of a deed. `difference` never holds a secret.
struct Line {
  std::string verb{};
  std::string subject{};
  Json difference{};
  std::string project{};
  job::Decision decision = job::Decision::allowed;
};
/// In the transaction of the change.
Result<void> record(store::Transaction& transaction, const Deed& by, Line line);

}  // namespace berth::auth
