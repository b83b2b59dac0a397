// Numbers by text, in flat tables: cheap to build anew and to ask. Pure.
#pragma once

#include <cstdint>
#include <cstring>
#include <functional>
#include <string_view>
#include <vector>

namespace berth::edge {

/// Immutable once filled. A look-up touches two places in memory, however many texts there are.
class NameIndex {
 public:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  /// The numbers of one text in the order opposite to that in which they were added.
  class Numbers {
   public:
    Numbers() = default;
    bool empty() const { return at_ == kNone; }
    std::uint32_t front() const { return words_[at_ + kNumber]; }
    void pop_front() { at_ = words_[at_ + kNext]; }

   private:
    friend class NameIndex;
    Numbers(const std::uint32_t* words, std::uint32_t at) : words_(words), at_(at) {}
    const std::uint32_t* words_ = nullptr;
    std::uint32_t at_ = kNone;
  };

  /// For `count` numbers at most.
  explicit NameIndex(std::size_t count = 0) {
    std::size_t size = 2;
    while (size < count + count / 2) size *= 2;
    slots_.resize(size);
    words_.reserve(count * (kText + kUsualText));
  }

  void add(std::string_view text, std::uint32_t number) {
    Slot& slot = slots_[place_of(text)];
    slot.hash = hash_of(text);
    const auto at = static_cast<std::uint32_t>(words_.size());
    words_.insert(words_.end(), {number, slot.head, static_cast<std::uint32_t>(text.size())});
    words_.resize(words_.size() + (text.size() + sizeof(std::uint32_t) - 1) / sizeof(std::uint32_t));
    if (!text.empty()) std::memcpy(&words_[at + kText], text.data(), text.size());
    slot.head = at;
  }

  Numbers find(std::string_view text) const { return {words_.data(), slots_[place_of(text)].head}; }
  /// The number that was added last, or kNone.
  std::uint32_t first(std::string_view text) const {
    const Numbers found = find(text);
    return found.empty() ? kNone : found.front();
  }

 private:
  /// The words of one number: itself, where the next of its text begins, and the text with its length.
  static constexpr std::uint32_t kNumber = 0, kNext = 1, kSize = 2, kText = 3;
  static constexpr std::size_t kUsualText = 8;
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t head = kNone;
  };
  static std::uint32_t hash_of(std::string_view text) {
    return static_cast<std::uint32_t>(std::hash<std::string_view>()(text));
  }
  std::string_view text_at(std::uint32_t at) const {
    return {reinterpret_cast<const char*>(words_.data() + at + kText), words_[at + kSize]};
  }
  /// Where the text is, or where it would be.
  std::size_t place_of(std::string_view text) const {
    const std::uint32_t hash = hash_of(text);
    std::size_t at = hash & (slots_.size() - 1);
    while (slots_[at].head != kNone && (slots_[at].hash != hash || text_at(slots_[at].head) != text))
      at = (at + 1) & (slots_.size() - 1);
    return at;
  }

  std::vector<Slot> slots_;  // a power of two, never full
  std::vector<std::uint32_t> words_;
};

}  // namespace berth::edge
