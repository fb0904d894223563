// What a collector is sent, read back as JSON.
#include "troupe/app/telemetry/otlp.h"

#include <doctest/doctest.h>

#include "troupe/wire/json.h"

using namespace troupe;
using troupe::app::otlp_json;
using namespace std::chrono_literals;

TEST_CASE("spans become an export request of OTLP with hexadecimal ids and civil times") {
  const actor::FinishedSpan spans[] = {
      {.context = {.trace_high = 0x0af7651916cd43dd, .trace_low = 0x8448eb211c80319c, .span = 1, .sampled = true},
       .parent = 0,
       .name = "GET /a \"quoted\" path",
       .actor_type = "HttpConnection",
       .core = 1,
       .start = {5'000'000},
       .took = 2ms,
       .is_entry = true},
      {.context = {.trace_high = 0x0af7651916cd43dd, .trace_low = 0x8448eb211c80319c, .span = 2, .sampled = true},
       .parent = 1,
       .name = "CreateToken",
       .start = {6'000'000},
       .took = 1us,
       .failed = true},
  };
  const auto body = otlp_json(spans, {10'000'000}, {1'700'000'000'000}, "0.1.0");
  const auto json = wire::parse_json(body);
  REQUIRE(json.has_value());
  CHECK_NE(body.find(R"("traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"0000000000000001","name":)"
                     R"("GET /a \"quoted\" path","kind":2,"startTimeUnixNano":"1699999999995000000",)"
                     R"("endTimeUnixNano":"1699999999997000000")"),
           std::string::npos);
  CHECK_NE(body.find(R"("spanId":"0000000000000002","parentSpanId":"0000000000000001","name":"CreateToken","kind":1)"),
           std::string::npos);
  CHECK_NE(body.find(R"("status":{"code":2})"), std::string::npos);
  CHECK_NE(body.find(R"({"key":"service.name","value":{"stringValue":"troupe"}})"), std::string::npos);
  CHECK_NE(body.find(R"({"key":"actor.type","value":{"stringValue":"HttpConnection"}})"), std::string::npos);
}
