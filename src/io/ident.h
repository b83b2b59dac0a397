// New ids of things.
#pragma once

#include <string>
#include <string_view>

namespace berth::io {

/// "`kind`_<ULID>" of now: nobody guesses it, and ids of one kind sort by when they were made. Thread: any.
std::string new_id(std::string_view kind);

}  // namespace berth::io
