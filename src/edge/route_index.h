// Numbers by text, in one flat table: cheap to build anew and to ask. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace berth::edge {

/// Immutable once filled. The texts must outlive it.
class NameIndex {
 public:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  /// The numbers of one text in the order opposite to that in which they were added.
  class Numbers {
   public:
    Numbers() = default;
    bool empty() const { return at_ == kNone; }
    std::uint32_t front() const { return (*nodes_)[at_].number; }
    void pop_front() { at_ = (*nodes_)[at_].next; }

   private:
    friend class NameIndex;
    struct Node {
      std::uint32_t number, next;
    };
    Numbers(const std::vector<Node>& nodes, std::uint32_t at) : nodes_(&nodes), at_(at) {}
    const std::vector<Node>* nodes_ = nullptr;
    std::uint32_t at_ = kNone;
  };

  /// For `count` numbers at most.
  explicit NameIndex(std::size_t count = 0) {
    std::size_t size = 2;
    while (size < count + count / 2) size *= 2;
    slots_.resize(size);
    nodes_.reserve(count);
  }

  void add(std::string_view text, std::uint32_t number) {
    Slot& slot = slots_[place_of(text)];
    if (slot.head == kNone) {
      slot.text = text;
      slot.hash = hash_of(text);
    }
    nodes_.push_back({number, slot.head});
    slot.head = static_cast<std::uint32_t>(nodes_.size() - 1);
  }

  Numbers find(std::string_view text) const { return {nodes_, slots_[place_of(text)].head}; }
  /// The number that was added last, or kNone.
  std::uint32_t first(std::string_view text) const {
    const Numbers found = find(text);
    return found.empty() ? kNone : found.front();
  }

 private:
  struct Slot {
    std::string_view text{};
    std::uint32_t hash = 0;
    std::uint32_t head = kNone;
  };
  static std::uint32_t hash_of(std::string_view text) {
    return static_cast<std::uint32_t>(std::hash<std::string_view>()(text));
  }
  /// Where the text is, or where it would be.
  std::size_t place_of(std::string_view text) const {
    const std::uint32_t hash = hash_of(text);
    std::size_t at = hash & (slots_.size() - 1);
    while (slots_[at].head != kNone && (slots_[at].hash != hash || slots_[at].text != text))
      at = (at + 1) & (slots_.size() - 1);
    return at;
  }

  std::vector<Slot> slots_;  // a power of two, never full
  std::vector<Numbers::Node> nodes_;
};

}  // namespace berth::edge
