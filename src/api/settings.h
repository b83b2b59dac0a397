// What an admin sets for the whole of berth; kept in the store.
#pragma once

#include "api/container_create.h"
#include "store/database.h"

namespace berth::api {

/// The bounds of containers whose maker names none; CreateLimits' own where nobody set any.
Result<CreateLimits> load_limits(store::Transaction& transaction);
/// Code::invalid names what is out of bounds; then nothing is kept.
Result<void> keep_limits(store::Transaction& transaction, const CreateLimits& limits);

/// Where copies of volumes are kept; "": in the data folder.
Result<std::string> load_backup_folder(store::Transaction& transaction);
/// `folder` is "" or absolute, without "..". Code::invalid; whether it can be written shows when it is used.
Result<void> keep_backup_folder(store::Transaction& transaction, const std::string& folder);

}  // namespace berth::api
