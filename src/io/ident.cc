#include "io/ident.h"

#include "base/ulid.h"
#include "io/seal.h"
#include "io/wall.h"

namespace berth::io {

std::string new_id(std::string_view kind) {
  return std::string(kind) + "_" + encode_ulid(wall_time() / 1000, random_bytes(10));
}

}  // namespace berth::io
