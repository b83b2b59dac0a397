// The requests that run on one loop, for who looks on.
#pragma once

#include <cstddef>

#include "base/json.h"
#include "io/loop.h"

namespace berth::edge {

struct Request;

/// A request in its loop's list, for as long as it runs. No memory of its own. Thread: its loop's.
class Running {
 public:
  /// The list.
  struct List {
    Running* first = nullptr;
    std::size_t count = 0;
  };
  Running(List& list, const Request& request, io::Time begun) : list_(list), request_(request), begun_(begun) {
    next_ = list.first;
    if (next_) next_->before_ = &next_;
    list.first = this;
    ++list.count;
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() {
    *before_ = next_;
    if (next_) next_->before_ = before_;
    --list_.count;
  }

  /// The newest `most` of a list, as an array of objects with the keys of the access log.
  static Json describe(const List& list, io::Time now, std::size_t most);

 private:
  List& list_;
  const Request& request_;
  io::Time begun_;
  Running* next_ = nullptr;
  Running** before_ = &list_.first;
};

}  // namespace berth::edge
