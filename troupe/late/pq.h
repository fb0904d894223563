// Pq: the functions of libpq that we call, under its header's own types; libpq is opened with the first look at them.
#pragma once

#include <libpq-fe.h>

namespace troupe::late {

struct Pq {
  decltype(&::PQclear) clear;
  decltype(&::PQcmdStatus) cmd_status;
  decltype(&::PQcmdTuples) cmd_tuples;
  decltype(&::PQconnectPoll) connect_poll;
  decltype(&::PQconnectStartParams) connect_start;
  decltype(&::PQconninfoFree) conninfo_free;
  decltype(&::PQconninfoParse) conninfo_parse;
  decltype(&::PQconsumeInput) consume_input;
  decltype(&::PQenterPipelineMode) enter_pipeline_mode;
  decltype(&::PQerrorMessage) error_message;
  decltype(&::PQfinish) finish;
  decltype(&::PQflush) flush;
  decltype(&::PQftype) field_type;
  decltype(&::PQgetResult) get_result;
  decltype(&::PQgetisnull) is_null;
  decltype(&::PQgetlength) length;
  decltype(&::PQgetvalue) value;
  decltype(&::PQisBusy) is_busy;
  decltype(&::PQnfields) fields;
  decltype(&::PQntuples) rows;
  decltype(&::PQparameterStatus) parameter_status;
  decltype(&::PQpipelineSync) pipeline_sync;
  decltype(&::PQresultErrorField) result_error_field;
  decltype(&::PQresultErrorMessage) result_error_message;
  decltype(&::PQresultStatus) result_status;
  decltype(&::PQsendPrepare) send_prepare;
  decltype(&::PQsendQueryParams) send_query_params;
  decltype(&::PQsendQueryPrepared) send_query_prepared;
  decltype(&::PQsetNoticeProcessor) set_notice_processor;
  decltype(&::PQsetnonblocking) set_nonblocking;
  decltype(&::PQsocket) socket;
  decltype(&::PQstatus) status;
  decltype(&::PQhost) host;
  decltype(&::PQport) port;
};

/// Any thread. Throws std::runtime_error where libpq is not installed.
const Pq& pq();

}  // namespace troupe::late
