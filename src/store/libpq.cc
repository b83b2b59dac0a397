#include "store/libpq.h"

#include "io/library.h"

namespace berth::store {
namespace {

bool find_all(const io::Library& library, Libpq& pq) {
  return library.find("PQconninfoParse", pq.conninfoParse) && library.find("PQconninfoFree", pq.conninfoFree) &&
         library.find("PQfreemem", pq.freemem) && library.find("PQconnectdbParams", pq.connectdbParams) &&
         library.find("PQfinish", pq.finish) && library.find("PQstatus", pq.status) &&
         library.find("PQtransactionStatus", pq.transactionStatus) &&
         library.find("PQserverVersion", pq.serverVersion) && library.find("PQerrorMessage", pq.errorMessage) &&
         library.find("PQsetNoticeProcessor", pq.setNoticeProcessor) && library.find("PQexec", pq.exec) &&
         library.find("PQprepare", pq.prepare) && library.find("PQexecPrepared", pq.execPrepared) &&
         library.find("PQresultStatus", pq.resultStatus) && library.find("PQresultErrorField", pq.resultErrorField) &&
         library.find("PQclear", pq.clear) && library.find("PQntuples", pq.ntuples) &&
         library.find("PQnfields", pq.nfields) && library.find("PQftype", pq.ftype) &&
         library.find("PQgetisnull", pq.getisnull) && library.find("PQgetvalue", pq.getvalue) &&
         library.find("PQgetlength", pq.getlength) && library.find("PQcmdTuples", pq.cmdTuples);
}

Result<Libpq> load() {
  const auto library = io::Library::load({"libpq.so.5"});
  if (!library) return fail(Code::unavailable, "store: PostgreSQL needs libpq.so.5: install the package libpq5");
  Libpq pq{};
  if (!find_all(*library, pq))
    return fail(Code::unavailable, "store: libpq.so.5 is too old: update the package libpq5");
  return pq;
}

}  // namespace

Result<const Libpq*> libpq() {
  static const Result<Libpq> loaded = load();
  if (!loaded) return fail(Error(loaded.error()));
  return &*loaded;
}

}  // namespace berth::store
