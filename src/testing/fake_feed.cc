#include "testing/fake_feed.h"

namespace berth::testing {

void FakeFeed::push(std::string_view bytes) {
  if (ended_ || bytes.empty()) return;
  pending_.append(bytes);
  changed_.set();
}

void FakeFeed::end() {
  ended_ = true;
  changed_.set();
}

std::string FakeFeed::take() {
  if (!ended_) changed_.reset();
  return std::exchange(pending_, {});
}

io::Task<Result<void>> FakeFeed::wait() {
  co_return co_await changed_.wait();
}

void FakeFeed::input(std::string_view bytes) {
  if (reader_) reader_(bytes);
}

}  // namespace berth::testing
