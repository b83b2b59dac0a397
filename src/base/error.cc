#include "base/error.h"

namespace berth {

std::string_view to_text(Code code) {
  switch (code) {
    case Code::invalid:
      return "invalid";
    case Code::not_found:
      return "not_found";
    case Code::conflict:
      return "conflict";
    case Code::denied:
      return "denied";
    case Code::unavailable:
      return "unavailable";
    case Code::timeout:
      return "timeout";
    case Code::cancelled:
      return "cancelled";
    case Code::busy:
      return "busy";
    case Code::moved:
      return "moved";
    case Code::internal:
      return "internal";
  }
  return "internal";
}

Error Error::within(std::string_view what) && {
  message.insert(0, std::string(what) + ": ");
  return std::move(*this);
}

std::string Error::text() const {
  return detail.empty() ? message : message + "\n" + detail;
}

}  // namespace berth
