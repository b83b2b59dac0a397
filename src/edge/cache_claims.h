// Who of a process's loops asks a service for what is not stored.
#pragma once

#include <functional>
#include <memory>
#include <string>

namespace berth::edge {

/// Each loop collapses its own requests (CacheFlights); this lets one loop ask and the others wait for what it stores.
/// Any thread.
class CacheClaims {
  struct Table;

 public:
  /// Run once, without a lock held, on the thread of the loop that is done.
  using Waker = std::function<void()>;

  /// A name that is the holder's until this is gone; those who waited are then woken.
  class Claim {
   public:
    Claim() = default;
    Claim(Claim&& other) noexcept = default;
    Claim& operator=(Claim&& other) noexcept {
      drop();
      table_ = std::move(other.table_);
      name_ = std::move(other.name_);
      return *this;
    }
    ~Claim() { drop(); }
    explicit operator bool() const { return table_ != nullptr; }
    void drop();

   private:
    friend class CacheClaims;
    Claim(std::shared_ptr<Table> table, std::string name) : table_(std::move(table)), name_(std::move(name)) {}
    std::shared_ptr<Table> table_;
    std::string name_;
  };

  CacheClaims();
  /// An empty claim when another one has it; `waker` (may be empty) then runs when that one is done.
  Claim take(const std::string& name, Waker waker);

 private:
  std::shared_ptr<Table> table_;
};

}  // namespace berth::edge
