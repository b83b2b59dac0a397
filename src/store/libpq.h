// libpq, loaded when a store is a PostgreSQL: it brings two dozen libraries, which no other start of berth pays for.
// Within this room.
#pragma once

#include <postgresql/libpq-fe.h>

#include "base/error.h"

namespace berth::store {

/// Its functions, by their names without PQ.
struct Libpq {
  decltype(&PQconninfoParse) conninfoParse;
  decltype(&PQconninfoFree) conninfoFree;
  decltype(&PQfreemem) freemem;
  decltype(&PQconnectdbParams) connectdbParams;
  decltype(&PQfinish) finish;
  decltype(&PQstatus) status;
  decltype(&PQtransactionStatus) transactionStatus;
  decltype(&PQserverVersion) serverVersion;
  decltype(&PQerrorMessage) errorMessage;
  decltype(&PQsetNoticeProcessor) setNoticeProcessor;
  decltype(&PQexec) exec;
  decltype(&PQprepare) prepare;
  decltype(&PQexecPrepared) execPrepared;
  decltype(&PQresultStatus) resultStatus;
  decltype(&PQresultErrorField) resultErrorField;
  decltype(&PQclear) clear;
  decltype(&PQntuples) ntuples;
  decltype(&PQnfields) nfields;
  decltype(&PQftype) ftype;
  decltype(&PQgetisnull) getisnull;
  decltype(&PQgetvalue) getvalue;
  decltype(&PQgetlength) getlength;
  decltype(&PQcmdTuples) cmdTuples;
};

/// Code::unavailable with the package to install where the library is missing. Thread: any.
Result<const Libpq*> libpq();

}  // namespace berth::store
