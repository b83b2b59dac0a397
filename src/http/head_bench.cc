// How long the head of a browser's request takes to read.
#include "http/head.h"

#include <benchmark/benchmark.h>

namespace berth::http {
namespace {

constexpr std::string_view kRequest =
    "GET /assets/app.js?v=12 HTTP/1.1\r\nHost: shop.example.test\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) "
    "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36\r\nAccept: */*\r\nAccept-Encoding: gzip, "
    "deflate, br\r\nAccept-Language: en-GB,en;q=0.9\r\nReferer: https://shop.example.test/\r\nCookie: "
    "session=0123456789abcdef0123456789abcdef\r\nConnection: keep-alive\r\n\r\n";

void parse_head(benchmark::State& state) {
  RequestHead head;
  for (auto _ : state) {
    const Parsed parsed = parse_request(kRequest, head);
    if (parsed.consumed != kRequest.size()) state.SkipWithError("the head was not read");
    benchmark::DoNotOptimize(head);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(kRequest.size()));
}
BENCHMARK(parse_head);

}  // namespace
}  // namespace berth::http
