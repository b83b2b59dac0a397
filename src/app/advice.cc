// What somebody can do about what keeps `berth serve` from starting or serving.
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>

#include "app/listening.h"
#include "cli/port_holder.h"
#include "io/ownership.h"

namespace berth::app {
namespace {

bool says(const Error& error, int number) {
  return error.message.contains(std::strerror(number));
}

}  // namespace

Error advise_port(Error error, const std::string& entry_point, const std::string& address) {
  const auto parsed = io::Address::parse(address);
  if (says(error, EADDRINUSE) && parsed) {
    const std::string holder = cli::port_holder(parsed->port());
    error.message += holder.empty() ? "; another program has it" : "; " + holder + " has it";
    error.message += ": stop that, or choose another port with --" + entry_point;
  } else if (says(error, EACCES)) {
    error.message += "; ports below 1024 are root's: start berth as root, or choose another with --" + entry_point;
  } else if (says(error, EADDRNOTAVAIL)) {
    error.message += "; this machine has no such address: choose others with --listen";
  }
  return error;
}

Error advise_data(Error error, const std::string& data) {
  if (says(error, EROFS))
    error.message += "; berth keeps its state in " + data + ": make it writable, or name another folder with --data";
  else if (says(error, ENOSPC))
    error.message += "; the disk of " + data + " is full: make room there, or name another folder with --data";
  else if (says(error, EACCES))
    error.message +=
        "; berth runs as " + io::own_account() + ": give it " + data + ", or name a folder of its own with --data";
  return error;
}

std::string advise_clock(const std::string& data) {
  std::error_code error;
  const auto last = std::filesystem::last_write_time(data + "/status.json", error);
  const auto behind =
      std::chrono::duration_cast<std::chrono::seconds>(last - std::filesystem::file_time_type::clock::now());
  if (error || behind < std::chrono::minutes(1)) return {};
  return "the clock is " + std::to_string(behind.count()) +
         " s behind the time when berth last ran: certificates of since then are not valid yet, and sessions may end; "
         "set the clock (timedatectl), then nothing else is needed";
}

std::string advise_engine(const Error& error) {
  if (says(error, ENOENT) || says(error, ECONNREFUSED))
    return error.message + "; start the engine, or name its socket with --host; it is looked for again";
  if (says(error, EACCES))
    return error.message + "; berth runs as " + io::own_account() +
           ": make that a member of the socket's group (usermod -aG docker ...), and start berth anew";
  return error.message;
}

}  // namespace berth::app
