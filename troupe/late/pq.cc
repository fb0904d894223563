// See pq.h.
#include "troupe/late/pq.h"

#include "troupe/late/library.h"

namespace troupe::late {

const Pq& pq() {
  static const Pq functions = [] {
    const Library library{"libpq.so.5", "libpq5"};
    Pq all{};
    library.find(all.clear, "PQclear");
    library.find(all.cmd_status, "PQcmdStatus");
    library.find(all.cmd_tuples, "PQcmdTuples");
    library.find(all.connect_poll, "PQconnectPoll");
    library.find(all.connect_start, "PQconnectStartParams");
    library.find(all.conninfo_free, "PQconninfoFree");
    library.find(all.conninfo_parse, "PQconninfoParse");
    library.find(all.consume_input, "PQconsumeInput");
    library.find(all.enter_pipeline_mode, "PQenterPipelineMode");
    library.find(all.error_message, "PQerrorMessage");
    library.find(all.finish, "PQfinish");
    library.find(all.flush, "PQflush");
    library.find(all.field_type, "PQftype");
    library.find(all.get_result, "PQgetResult");
    library.find(all.is_null, "PQgetisnull");
    library.find(all.length, "PQgetlength");
    library.find(all.value, "PQgetvalue");
    library.find(all.is_busy, "PQisBusy");
    library.find(all.fields, "PQnfields");
    library.find(all.rows, "PQntuples");
    library.find(all.parameter_status, "PQparameterStatus");
    library.find(all.pipeline_sync, "PQpipelineSync");
    library.find(all.result_error_field, "PQresultErrorField");
    library.find(all.result_error_message, "PQresultErrorMessage");
    library.find(all.result_status, "PQresultStatus");
    library.find(all.send_prepare, "PQsendPrepare");
    library.find(all.send_query_params, "PQsendQueryParams");
    library.find(all.send_query_prepared, "PQsendQueryPrepared");
    library.find(all.set_notice_processor, "PQsetNoticeProcessor");
    library.find(all.set_nonblocking, "PQsetnonblocking");
    library.find(all.socket, "PQsocket");
    library.find(all.status, "PQstatus");
    library.find(all.host, "PQhost");
    library.find(all.port, "PQport");
    return all;
  }();
  return functions;
}

}  // namespace troupe::late
