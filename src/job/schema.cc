// The tables of this room.
#include "job/journal.h"

namespace berth::job {
namespace {

// audit_head has one row, which serialises those who append: the second waits for the first one's commit.
constexpr store::Migration kMigrations[] = {
    {.number = 100, .name = "audit", .sql = R"(
CREATE TABLE audit (
  number {integer} PRIMARY KEY,
  time {integer} NOT NULL,
  actor {text} NOT NULL,
  name {text} NOT NULL,
  origin {text} NOT NULL,
  verb {text} NOT NULL,
  subject {text} NOT NULL,
  project {text} NOT NULL,
  decision {text} NOT NULL,
  difference {text} NOT NULL,
  hash {text} NOT NULL);
CREATE INDEX audit_actor ON audit (actor, number);
CREATE INDEX audit_subject ON audit (subject, number);
CREATE INDEX audit_project ON audit (project, number);
CREATE TABLE audit_head (
  id {integer} PRIMARY KEY,
  number {integer} NOT NULL,
  hash {text} NOT NULL);
INSERT INTO audit_head (id, number, hash) VALUES (1, 0, ''))"},
    {.number = 101, .name = "jobs", .sql = R"(
CREATE TABLE jobs (
  id {text} PRIMARY KEY,
  kind {text} NOT NULL,
  subject {text} NOT NULL,
  project {text} NOT NULL,
  state {text} NOT NULL,
  actor {text} NOT NULL,
  name {text} NOT NULL,
  created {integer} NOT NULL,
  started {integer} NOT NULL,
  ended {integer} NOT NULL,
  error {text} NOT NULL,
  input {text} NOT NULL,
  core {text} NOT NULL,
  lease {integer} NOT NULL);
CREATE INDEX jobs_state ON jobs (state);
CREATE INDEX jobs_project ON jobs (project, id);
CREATE TABLE job_lines (
  job {text} NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  number {integer} NOT NULL,
  level {text} NOT NULL,
  text {text} NOT NULL,
  PRIMARY KEY (job, number)))"},
    {.number = 102, .name = "audit outcomes", .sql = R"(
ALTER TABLE audit ADD COLUMN begun {integer} NOT NULL DEFAULT 0;
CREATE INDEX audit_begun ON audit (begun) WHERE begun > 0;
CREATE INDEX audit_open ON audit (number) WHERE decision = 'begun')"},
    {.number = 103, .name = "whose audit entries are open", .sql = R"(
ALTER TABLE audit ADD COLUMN core {text} NOT NULL DEFAULT '')"},
};

}  // namespace

std::span<const store::Migration> migrations() {
  return kMigrations;
}

}  // namespace berth::job
