// The document against itself: it can be read, and what it refers to is there. That it has every route is tested where
// all routes are, in platform_test.cc.
#include "troupe/app/openapi/openapi.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

#include "troupe/app/command/command_line.h"
#include "troupe/app/command/console.h"
#include "troupe/oauth/admin/calls.h"
#include "troupe/oauth/endpoint/early_refusal.h"
#include "troupe/wire/json.h"

using namespace troupe;
using namespace troupe::app;

namespace {

wire::Json document() { return wire::parse_json(openapi_document()).value(); }

/// Calls `visit` with the name and the value of each member, however deep.
template <class Visit>
void each_member(const wire::Json& json, const Visit& visit) {
  if (json.array() != nullptr) {
    for (const wire::Json& one : *json.array()) each_member(one, visit);
  }
  if (json.object() == nullptr) return;
  for (const auto& member : *json.object()) {
    visit(member.name, member.value);
    each_member(member.value, visit);
  }
}

const wire::Json* found(const wire::Json& root, std::string_view reference) {
  const wire::Json* here = &root;
  reference.remove_prefix(1);  // "#"
  while (here != nullptr && !reference.empty()) {
    reference.remove_prefix(1);  // "/"
    const auto end = std::min(reference.find('/'), reference.size());
    here = here->find(reference.substr(0, end));
    reference.remove_prefix(end);
  }
  return here;
}

/// The content type of an answer with this status; "" where the operation has none.
std::string type_of(const wire::Json& root, const wire::Json& operation, std::string_view status) {
  const wire::Json* response = operation.find("responses")->find(status);
  if (response == nullptr) return "";
  if (const std::string* reference = response->string_at("$ref")) response = found(root, *reference);
  return response->find("content")->object()->front().name;
}

}  // namespace

TEST_CASE("the document can be read, is of this version, and has all that it refers to") {
  const auto root = document();
  CHECK_EQ(*root.string_at("openapi"), "3.1.0");
  MemoryConsole console;
  CHECK(run_command_line({"version"}, console) == Exit::success);
  CHECK(console.said().contains(*root.find("info")->string_at("version")));
  std::set<std::string> used;
  each_member(root, [&](std::string_view name, const wire::Json& value) {
    if (name != "$ref") return;
    CAPTURE(*value.string());
    CHECK(found(root, *value.string()) != nullptr);
    used.insert(*value.string());
  });
  for (const char* kind : {"schemas", "parameters", "responses"}) {
    for (const auto& member : *root.find("components")->find(kind)->object()) {
      CAPTURE(member.name);
      CHECK(used.contains("#/components/" + std::string{kind} + "/" + member.name));
    }
  }
}

TEST_CASE("each call of the administration stands there with the scope that it needs") {
  const auto root = document();
  std::size_t administering = 0;
  for (const auto& path : *root.find("paths")->object()) {
    if (path.name.starts_with("/admin/")) administering += path.value.object()->size();
  }
  CHECK_EQ(administering, oauth::admin::calls().size());
  for (const oauth::admin::Call& call : oauth::admin::calls()) {
    CAPTURE(call.path);
    const wire::Json* path = root.find("paths")->find(call.path);
    REQUIRE(path != nullptr);
    std::string method{web::text(call.method)};
    for (char& c : method) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const wire::Json* operation = path->find(method);
    REQUIRE(operation != nullptr);
    const wire::Json& scope = operation->find("security")->array()->front().find("bearer")->array()->front();
    CHECK_EQ(*scope.string(), call.scope);
    CHECK_EQ(operation->find("requestBody") != nullptr, call.takes == oauth::admin::Takes::body);
    for (const char* status : {"400", "401", "403", "413", "415", "429", "503"}) {
      CAPTURE(status);
      const std::string_view name{status};
      const bool is_of_body = name == "413" || name == "415";
      const bool is_there = operation->find("responses")->find(name) != nullptr;
      CHECK_EQ(is_there, !is_of_body || call.takes == oauth::admin::Takes::body);
    }
  }
}

TEST_CASE("each operation says what an address gets that asks too often, or with too much, in the manner of the path") {
  const auto root = document();
  for (const auto& path : *root.find("paths")->object()) {
    const auto told = oauth::too_many_requests({.path = path.name});
    const std::string whole{told ? told->headers.get("content-type").value() : "application/problem+json"};
    const std::string type = whole.substr(0, whole.find(';'));
    for (const auto& operation : *path.value.object()) {
      CAPTURE(path.name);
      CAPTURE(operation.name);
      CHECK_EQ(type_of(root, operation.value, "429"), type);
      const bool has_body = operation.value.find("requestBody") != nullptr;
      CHECK_EQ(type_of(root, operation.value, "413"), has_body ? type : "");
    }
  }
}
