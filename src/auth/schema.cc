#include "auth/schema.h"

#include <array>

namespace berth::auth {
namespace {

constexpr std::string_view kUsers = R"(
CREATE TABLE auth_user (
  id {text} PRIMARY KEY,
  name {text} NOT NULL,
  folded {text} NOT NULL UNIQUE,
  role {text} NOT NULL,
  password {text},
  disabled {integer} NOT NULL,
  created_at {integer} NOT NULL,
  totp_secret {blob},
  totp_confirmed {integer} NOT NULL,
  totp_step {integer} NOT NULL
);
CREATE TABLE auth_membership (
  user_id {text} NOT NULL REFERENCES auth_user(id) ON DELETE CASCADE,
  project {text} NOT NULL,
  role {text} NOT NULL,
  PRIMARY KEY (user_id, project)
);
CREATE TABLE auth_recovery (
  user_id {text} NOT NULL REFERENCES auth_user(id) ON DELETE CASCADE,
  hash {blob} NOT NULL,
  used_at {integer},
  PRIMARY KEY (user_id, hash)
);
CREATE TABLE auth_session (
  id {text} PRIMARY KEY,
  hash {blob} NOT NULL UNIQUE,
  user_id {text} NOT NULL REFERENCES auth_user(id) ON DELETE CASCADE,
  method {text} NOT NULL,
  agent {text} NOT NULL,
  client {text} NOT NULL,
  created_at {integer} NOT NULL,
  seen_at {integer} NOT NULL,
  expires_at {integer} NOT NULL
);
CREATE INDEX auth_session_user ON auth_session (user_id);
CREATE INDEX auth_session_expiry ON auth_session (expires_at);
CREATE TABLE auth_token (
  id {text} PRIMARY KEY,
  hash {blob} NOT NULL,
  user_id {text} NOT NULL REFERENCES auth_user(id) ON DELETE CASCADE,
  name {text} NOT NULL,
  scopes {text} NOT NULL,
  created_at {integer} NOT NULL,
  expires_at {integer},
  used_at {integer}
);
CREATE INDEX auth_token_user ON auth_token (user_id);
CREATE TABLE auth_setup (
  one {integer} NOT NULL PRIMARY KEY,
  hash {blob} NOT NULL,
  expires_at {integer} NOT NULL,
  wrong {integer} NOT NULL
);
)";

constexpr std::string_view kProviders = R"(
CREATE TABLE auth_provider (
  id {text} PRIMARY KEY,
  kind {text} NOT NULL,
  name {text} NOT NULL,
  settings {text} NOT NULL,
  secret {blob},
  enabled {integer} NOT NULL
);
CREATE TABLE auth_identity (
  provider {text} NOT NULL,
  subject {text} NOT NULL,
  user_id {text} NOT NULL REFERENCES auth_user(id) ON DELETE CASCADE,
  created_at {integer} NOT NULL,
  PRIMARY KEY (provider, subject)
);
CREATE INDEX auth_identity_user ON auth_identity (user_id);
CREATE TABLE auth_login (
  hash {blob} PRIMARY KEY,
  browser {blob} NOT NULL,
  provider {text} NOT NULL,
  verifier {blob} NOT NULL,
  nonce {text} NOT NULL,
  target {text} NOT NULL,
  expires_at {integer} NOT NULL
);
)";

constexpr std::string_view kLinks = R"(
ALTER TABLE auth_login ADD COLUMN link {text};
CREATE TABLE auth_passkey (
  id {text} PRIMARY KEY,
  user_id {text} NOT NULL REFERENCES auth_user(id) ON DELETE CASCADE,
  name {text} NOT NULL,
  algorithm {integer} NOT NULL,
  key_bytes {blob} NOT NULL,
  counter {integer} NOT NULL,
  created_at {integer} NOT NULL,
  used_at {integer}
);
CREATE INDEX auth_passkey_user ON auth_passkey (user_id);
CREATE TABLE auth_challenge (
  hash {blob} PRIMARY KEY,
  user_id {text},
  expires_at {integer} NOT NULL
);
)";

constexpr std::string_view kIdentityNames = "ALTER TABLE auth_identity ADD COLUMN name {text};";

constexpr std::array<store::Migration, 4> kMigrations = {{
    {.number = 200, .name = "users, sessions and tokens", .sql = kUsers},
    {.number = 201, .name = "providers of sign-in", .sql = kProviders},
    {.number = 202, .name = "linked accounts and passkeys", .sql = kLinks},
    {.number = 203, .name = "names of identities", .sql = kIdentityNames},
}};

}  // namespace

std::span<const store::Migration> migrations() {
  return kMigrations;
}

}  // namespace berth::auth
