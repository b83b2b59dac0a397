// FastCGI's records: a request as a responder gets it, and its answer. Pure.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "edge/cgi_vars.h"

namespace berth::edge {

/// Begin and all variables; the connection is closed after the answer. Code::invalid when they take more than 256 KiB.
Result<std::string> fastcgi_begin(const CgiVars& vars);
/// A piece of the body; "" ends it.
void append_fastcgi_body(std::string& out, std::string_view piece);

/// Takes an answer apart as its bytes come. Strict: other versions, requests, types, lengths are refused.
class FastcgiDecoder {
 public:
  struct Step {
    enum What {
      need_more,
      output,  ///< `data` of the application's answer
      errors,  ///< `data` for the log
      end,     ///< all is said; `status` of the protocol: 0 complete, 2 overloaded
      refused,
    };
    What what = need_more;
    std::string_view data{};  ///< views the input
    int status = 0;
    std::string_view reason{};
  };
  /// Takes from the front of `input`. After end or refused there is nothing more.
  Step next(std::string_view& input);

 private:
  bool take_header(std::string_view& input);
  void skip_padding(std::string_view& input);
  Step begin_record();
  Step take_content(std::string_view& input);
  Step refuse(std::string_view reason);

  std::array<unsigned char, 8> bytes_{};  ///< of a record's header, or of the end's body
  std::size_t count_ = 0;
  std::size_t content_ = 0, padding_ = 0;
  int type_ = 0;  ///< 0: between records
  bool output_ended_ = false, over_ = false;
};

}  // namespace berth::edge
