// What the verbs on the store have in common.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "app/arguments.h"
#include "app/platform_store.h"

namespace berth::app {

/// Flags of every such verb, and the words between them.
struct StoreFlags {
  std::vector<std::string> words{};
  std::string data = "/var/lib/berth", store{};
  bool json = false, yes = false, help = false;
};
/// Reads the word that `arguments` is at; `verb` is for the message. Code::invalid for one that is not known.
Result<void> take_store_flag(Arguments& arguments, StoreFlags& flags, std::string_view verb);

/// The store that the flags, the environment or the data folder name.
Result<std::string> store_of(const StoreFlags& flags, const Environment& environment);
/// Opens it; nothing is migrated unless `migrate`.
io::Task<Result<std::unique_ptr<store::Database>>> open_store(std::string where, bool migrate);

/// Prints the error, and the exit status that it means.
int complain(std::string_view verb, const Error& error);

}  // namespace berth::app
