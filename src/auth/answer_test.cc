#include "auth/answer.h"

#include <gtest/gtest.h>

namespace berth::auth {
namespace {

Answer answer_of(int status, std::string_view body, std::int64_t retry_after = 0) {
  return {.status = status, .retry_after = retry_after, .body = parse_json(body).value_or(Json())};
}
Code token_code(int status, std::string_view body, std::int64_t retry_after = 0) {
  const auto judged = token_answer(answer_of(status, body, retry_after));
  return judged ? Code::cancelled : judged.error().code;
}
constexpr Code kTaken = Code::cancelled;

TEST(Answer, AListSaysWhereItGoesOn) {
  EXPECT_EQ(
      next_page(
          "<https://a/o?page=1>; rel=\"prev\", <https://a/o?page=3>; rel=\"next\", <https://a/o?page=9>; rel=last"),
      "https://a/o?page=3");
  EXPECT_EQ(next_page("<https://a/2>;title=x; REL = next"), "https://a/2");
  for (const std::string_view none :
       {"", "<https://a>", "<https://a", "https://a; rel=next", "<https://a>; rel=nextly"})
    EXPECT_EQ(next_page(none), "") << none;
}

TEST(Answer, TakesTokensThatMayBeSentAsBearer) {
  EXPECT_EQ(token_code(200, R"({"access_token":"gho_x","scope":"read:org,read:user","token_type":"bearer"})"), kTaken);
  EXPECT_EQ(token_code(200, R"({"access_token":"x","token_type":"Bearer","expires_in":7200,"scope":"read_user"})"),
            kTaken);
  EXPECT_EQ(token_code(200, R"({"access_token":"x"})"), kTaken);
  EXPECT_EQ(token_code(200, R"({"access_token":"x","token_type":"mac"})"), Code::denied);
  EXPECT_EQ(token_code(200, R"({"access_token":"","token_type":"bearer"})"), Code::denied);
  EXPECT_EQ(token_code(200, R"({"access_token":"x\r\nX: y"})"), Code::denied);
  EXPECT_EQ(token_code(200, R"({"access_token":["x"]})"), Code::denied);
  EXPECT_EQ(token_code(200, R"(["access_token"])"), Code::denied);
}

TEST(Answer, KnowsTheErrorsWhateverTheStatus) {
  for (const int status : {200, 400, 401}) {
    EXPECT_EQ(token_code(status, R"({"error":"bad_verification_code"})"), Code::timeout) << status;
    EXPECT_EQ(token_code(status, R"({"error":"invalid_grant"})"), Code::timeout) << status;
    EXPECT_EQ(token_code(status, R"({"error":"incorrect_client_credentials"})"), Code::invalid) << status;
    EXPECT_EQ(token_code(status, R"({"error":"invalid_client"})"), Code::invalid) << status;
    EXPECT_EQ(token_code(status, R"({"error":"redirect_uri_mismatch"})"), Code::invalid) << status;
    EXPECT_EQ(token_code(status, R"({"error":"something_else","access_token":"x"})"), Code::denied) << status;
  }
}

TEST(Answer, JudgesTheStatusWhereNothingElseIsSaid) {
  EXPECT_EQ(token_code(429, R"({"error":"spam"})", 7), Code::busy);
  EXPECT_EQ(token_code(429, "Retry later"), Code::busy);
  EXPECT_EQ(token_code(403, "{}", 60), Code::busy);
  EXPECT_EQ(token_code(403, "{}"), Code::invalid);
  EXPECT_EQ(token_code(302, ""), Code::invalid);
  EXPECT_EQ(token_code(404, "<html>"), Code::invalid);
  EXPECT_EQ(token_code(502, "<html>"), Code::unavailable);
  EXPECT_EQ(token_code(200, "<html>"), Code::internal);
  EXPECT_EQ(token_code(200, "access_token=x&token_type=bearer"), Code::internal);
  EXPECT_EQ(good_answer(answer_of(429, "", 7)).error().message,
            "it answered 429: it was asked too often; try again in 7 s");
  EXPECT_EQ(good_answer(answer_of(200, "[1]"))->dump(), "[1]");
}

TEST(Answer, RepeatsNoWordsOfOthers) {
  const auto said = [](std::string_view body) { return token_answer(answer_of(400, body)).error().message; };
  EXPECT_EQ(said(R"({"error":"unsupported_grant_type","error_description":"s3cret"})"),
            "it refused the code: unsupported_grant_type");
  EXPECT_EQ(said(R"({"error":"Your client_secret s3cret is wrong"})"), "it refused the code");
  EXPECT_EQ(said(R"({"error":"<script>"})"), "it refused the code");
}

}  // namespace
}  // namespace berth::auth
