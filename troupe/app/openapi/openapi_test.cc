// The document against itself: it can be read, and what it refers to is there. That it has every route is tested where
// all routes are, in platform_test.cc.
#include "troupe/app/openapi/openapi.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

#include "troupe/app/command/command_line.h"
#include "troupe/app/command/console.h"
#include "troupe/oauth/admin/calls.h"
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
    for (const char* status : {"401", "403", "503"}) CHECK(operation->find("responses")->find(status) != nullptr);
  }
}
