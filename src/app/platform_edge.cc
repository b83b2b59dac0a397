#include "app/cert_list.h"
#include "app/core.h"
#include "app/platform.h"
#include "app/route_explain.h"

namespace berth::app {

api::EdgeView edge_view_of(const Desk& desk, std::string data) {
  return {.status = [&desk] { return desk.describe(); },
          .explain = [&desk](const std::string& url) { return explain(desk.describe(), {.url = url}); },
          .certificates = [data] { return certificates_json(data); },
          .renew = [data](const std::string& host) { return wish_certificate(data, host); }};
}

}  // namespace berth::app
