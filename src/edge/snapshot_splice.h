// What turns one list into another: places where items go and others come. Pure.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/error.h"

namespace berth::edge {

template <class T>
struct Splice {
  std::size_t at = 0;    ///< in the list as it was before all splices
  std::size_t drop = 0;  ///< how many items go from there on
  std::vector<T> put{};  ///< what comes in their place
  friend bool operator==(const Splice&, const Splice&) = default;
};

/// Ascending; none touches what another drops.
template <class T>
using Splices = std::vector<Splice<T>>;

/// What makes `after` of `before`; little where items are added, go or change in a list that is sorted by name.
/// `name_of` gives a std::string_view by which items are found again; names need not differ.
template <class T, class NameOf>
Splices<T> splices_between(const std::vector<T>& before, const std::vector<T>& after, NameOf name_of) {
  const std::size_t most = std::min(before.size(), after.size());
  std::size_t begin = 0, tail = 0;
  while (begin < most && before[begin] == after[begin]) ++begin;
  while (tail < most - begin && before[before.size() - 1 - tail] == after[after.size() - 1 - tail]) ++tail;
  const std::size_t end = before.size() - tail;
  std::unordered_map<std::string_view, std::size_t> places;
  for (std::size_t i = begin; i < end; ++i) places.try_emplace(name_of(before[i]), i);
  Splices<T> out;
  Splice<T> open{.at = begin};
  const auto close = [&](std::size_t kept) {
    open.drop = kept - open.at;
    if (open.drop > 0 || !open.put.empty()) out.push_back(std::move(open));
    open = {.at = kept + 1};
  };
  for (std::size_t j = begin; j < after.size() - tail; ++j) {
    const auto place = places.find(name_of(after[j]));
    const bool stays = place != places.end() && place->second >= open.at && before[place->second] == after[j];
    if (stays)
      close(place->second);
    else
      open.put.push_back(after[j]);
  }
  close(end);
  return out;
}

/// `list` with the splices done; `make` turns what is put into an item and may fail. Code::invalid for splices that do
/// not fit the list.
template <class Item, class T, class Make>
Result<std::vector<Item>> spliced(std::vector<Item> list, Splices<T> splices, Make make) {
  if (splices.empty()) return list;
  std::vector<Item> out;
  out.reserve(list.size() + splices.size());
  std::size_t at = 0;
  const auto keep_until = [&](std::size_t end) {
    for (; at < end; ++at) out.push_back(std::move(list[at]));
  };
  for (Splice<T>& each : splices) {
    if (each.at < at || each.at > list.size() || each.drop > list.size() - each.at)
      return fail(Code::invalid, "snapshot: a change does not fit the list that it is for");
    keep_until(each.at);
    at += each.drop;
    for (T& item : each.put) out.push_back(TRY(make(std::move(item))));
  }
  keep_until(list.size());
  return out;
}

}  // namespace berth::edge
