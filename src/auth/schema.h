// The tables of signing in.
#pragma once

#include <span>

#include "store/migration.h"

namespace berth::auth {

std::span<const store::Migration> migrations();

}  // namespace berth::auth
