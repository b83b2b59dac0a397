// What a stream's socket can tell and be told beyond its bytes.
#pragma once

#include <chrono>

#include "io/socket.h"

namespace berth::io {

/// Our own end of a socket; Code::invalid for a stream without one.
Result<Address> local_address(const Stream& stream);

/// The kernel asks a silent peer every now and then whether it is still there, and ends the stream when it is not:
/// after about two minutes, or with `pause` after seven of those; a negative one: never. Without a TCP socket nothing
/// happens.
void keep_alive(const Stream& stream, std::chrono::milliseconds pause = {});

/// The socket file `path` gets the group of its folder: who belongs to it may connect, as the mode says.
Result<void> share_with_folder(const std::string& path);
/// The same with a group by its name. Code::invalid when there is none.
Result<void> give_to_group(const std::string& path, const std::string& group);
/// Who connected, as the kernel says; Code::invalid for what is no unix socket. Of a client in another user namespace
/// it is the overflow user's.
struct PeerUser {
  unsigned user = 0;
  int process = 0;
};
Result<PeerUser> peer_user(const Stream& stream);
/// The effective user of this process.
unsigned own_user();

}  // namespace berth::io
