// One step of the store's schema.
#pragma once

#include <string_view>

namespace berth::store {

/// Steps belong to the rooms whose tables they make; `app` joins them. A step runs once in a transaction of its own, in
/// the order of the numbers, and never changes after a release: its text's sum is kept with it. `sql` is statements
/// divided by semicolons, in what both databases understand and these words as types of columns: {serial} an integer
/// that counts up by itself and is the primary key, {integer} 64 bits, {number} a double, {blob} bytes, {text} text
/// that is ordered by its bytes.
struct Migration {
  int number = 0;  ///< unique among all rooms: job 100.., auth 200.., api 300.., broker and others 400..
  std::string_view name{};
  std::string_view sql{};
};

}  // namespace berth::store
