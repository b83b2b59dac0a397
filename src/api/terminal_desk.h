// The terminals that are open, and the tickets by which sockets come to them.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/terminal.h"

namespace berth::api {

struct TerminalOrder {
  TerminalAbout about{};  ///< without its id
  std::int64_t columns = 0, rows = 0;
};

/// A terminal lives for 60 s without a socket; then, or when berth ends, what ends a shell is typed into it. A ticket
/// is for one socket of the one who asked for it, within 30 s. Thread: its loop's.
class TerminalDesk {
 public:
  static constexpr std::size_t kMost = 100;  ///< open ones

  /// Keeps the terminals until cancelled.
  io::Task<void> run();
  /// Code::conflict when the container does not run or too many are open.
  io::Task<Result<std::shared_ptr<Terminal>>> open(TerminalOrder order, std::shared_ptr<engine::Client> client);
  /// Null for one that is not kept (any more).
  std::shared_ptr<Terminal> find(std::string_view id) const;
  /// In the order of their opening.
  std::vector<std::shared_ptr<Terminal>> all() const;
  /// A ticket for `who`, in place of the one before. REQUIRES: an open one.
  std::string ticket(const Terminal& terminal, std::string who, io::Time now);
  /// Code::denied when it was used, is over, or is somebody else's.
  Result<void> redeem(const Terminal& terminal, std::string_view ticket, std::string_view who, io::Time now);

 private:
  struct Ticket {
    std::string hash{}, who{};
    io::Time end{};
  };
  struct Kept {
    std::shared_ptr<Terminal> terminal;
    Ticket ticket{};
  };
  io::Task<void> follow(std::shared_ptr<Terminal> terminal);
  io::Task<void> guard(std::shared_ptr<Terminal> terminal);
  io::Task<Result<void>> end_all();

  std::map<std::string, Kept, std::less<>> kept_;
  std::size_t opening_ = 0;
  io::Scope* scope_ = nullptr;
};

}  // namespace berth::api
