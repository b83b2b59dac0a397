// TXT records for DNS-01: by a program of the user or by dynamic updates (RFC 2136) through nsupdate.
#pragma once

#include <string>

#include "edge/acme_flow.h"
#include "edge/acme_policy.h"
#include "io/task.h"

namespace berth::edge {

/// "_acme-challenge.example.com.", with the dot of a full name.
std::string record_name(const AcmeAnswer& answer);

enum class RecordChange { present, cleanup };
/// What nsupdate reads. Code::invalid when a setting holds what its language would take for more than a word.
Result<std::string> update_script(const DnsSettings& settings, const AcmeAnswer& answer, RecordChange change);

/// Makes the record, or removes just this value of it. At most two minutes. Code::internal with the end of the
/// program's output; Code::not_found when there is no such program.
io::Task<Result<void>> change_record(const DnsSettings& settings, const AcmeAnswer& answer, RecordChange change);

}  // namespace berth::edge
