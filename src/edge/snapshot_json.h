// The parts of a snapshot as JSON, one function for each direction and type. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "edge/snapshot.h"

namespace berth::edge {

/// decode_snapshot() of what is parsed already.
Result<Snapshot> read_snapshot(const Json& json);

Json encode_item(const Settings& settings);
Json encode_item(const Route& route);
Json encode_item(const Service& service);
Json encode_item(const Certificate& certificate);
Json encode_item(const TlsOptions& options);
Json encode_item(const HttpChallenge& challenge);
Json encode_item(const EntryPoint& point);
Json encode_item(const TcpRoute& route);
Json encode_item(const TcpService& service);
Json encode_item(const UdpRoute& route);

/// Code::invalid naming the member that is missing or wrong, never its value. Exists for the types above.
template <class T>
Result<T> decode_item(const Json& json);
template <>
Result<Settings> decode_item<Settings>(const Json& json);
template <>
Result<Route> decode_item<Route>(const Json& json);
template <>
Result<Service> decode_item<Service>(const Json& json);
template <>
Result<Certificate> decode_item<Certificate>(const Json& json);
template <>
Result<TlsOptions> decode_item<TlsOptions>(const Json& json);
template <>
Result<HttpChallenge> decode_item<HttpChallenge>(const Json& json);
template <>
Result<EntryPoint> decode_item<EntryPoint>(const Json& json);
template <>
Result<TcpRoute> decode_item<TcpRoute>(const Json& json);
template <>
Result<TcpService> decode_item<TcpService>(const Json& json);
template <>
Result<UdpRoute> decode_item<UdpRoute>(const Json& json);

template <class T>
Json encode_all(const std::vector<T>& items) {
  Json json = Json::array();
  for (const T& item : items) json.push(encode_item(item));
  return json;
}

template <class T>
Result<std::vector<T>> decode_all(const Json& json) {
  std::vector<T> items;
  items.reserve(json.items().size());
  for (const Json& item : json.items()) items.push_back(TRY(decode_item<T>(item)));
  return items;
}

inline Json encode_texts(const std::vector<std::string>& items) {
  Json json = Json::array();
  for (const std::string& item : items) json.push(item);
  return json;
}

inline std::vector<std::string> decode_texts(const Json& json) {
  std::vector<std::string> items;
  for (const Json& item : json.items()) items.emplace_back(item.text());
  return items;
}

}  // namespace berth::edge
