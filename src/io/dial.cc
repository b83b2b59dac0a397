#include "io/dial.h"

#include <netdb.h>

namespace berth::io {
namespace {

constexpr auto kEach = std::chrono::seconds(10);

struct Answers {
  addrinfo* first = nullptr;
  int error = 0;
  ~Answers() {
    if (first) ::freeaddrinfo(first);
  }
};

}  // namespace

Task<Result<std::vector<Address>>> resolve(std::string host, std::uint16_t port) {
  Answers answers;
  co_await on_pool([&] {
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    wanted.ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG;
    answers.error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &answers.first);
  });
  if (answers.error == EAI_NONAME || answers.error == EAI_NODATA)
    co_return fail(Code::not_found, "host " + host + " does not exist");
  if (answers.error != 0)
    co_return fail(Code::unavailable, "cannot look up host " + host + ": " + ::gai_strerror(answers.error));
  std::vector<Address> out;
  for (const addrinfo* each = answers.first; each; each = each->ai_next)
    out.push_back(Address::from(each->ai_addr, each->ai_addrlen));
  co_return out;
}

Task<Result<std::unique_ptr<Stream>>> TcpDialer::connect_to_any() {
  const auto addresses = CO_TRY(co_await resolve(host_, port_));
  Error last;
  for (const Address& address : addresses) {
    auto stream = co_await within(kEach, connect(address));
    if (stream || stream.error().code == Code::cancelled) co_return stream;
    last = std::move(stream).error();
  }
  co_return fail(std::move(last));
}

Task<Result<std::unique_ptr<Stream>>> TcpDialer::dial() {
  auto stream = CO_TRY(co_await connect_to_any());
  if (!tls_) co_return stream;
  auto secure = tls_over(std::move(stream), tls_);
  CO_TRY(co_await secure->handshake());
  co_return std::unique_ptr<Stream>(std::move(secure));
}

}  // namespace berth::io
