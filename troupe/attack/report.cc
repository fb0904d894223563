// See report.h.
#include "troupe/attack/report.h"

#include <fmt/format.h>

#include <algorithm>

#include "troupe/wire/json.h"

namespace troupe::attack {
namespace {

std::string_view name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::passed:
      return "pass";
    case Outcome::failed:
      return "fail";
    case Outcome::not_applicable:
      return "not_applicable";
  }
  return "";
}

std::size_t count(const std::vector<Verdict>& verdicts, Outcome outcome) {
  return static_cast<std::size_t>(std::ranges::count(verdicts, outcome, &Verdict::outcome));
}

}  // namespace

std::string text_of(const Verdict& verdict) {
  std::string lines = fmt::format("{:<4} {:<14}  {}\n", verdict.id, text(verdict.outcome), verdict.title);
  for (const std::string& reason : verdict.reasons) lines += fmt::format("       {}\n", reason);
  return lines;
}

std::string summary_of(const std::vector<Verdict>& verdicts) {
  std::vector<std::string> failed;
  for (const Verdict& verdict : verdicts) {
    if (verdict.outcome == Outcome::failed) failed.push_back(verdict.id);
  }
  const std::string names = failed.empty() ? "" : fmt::format(" ({})", fmt::join(failed, ", "));
  return fmt::format("{} passed, {} failed{}, {} not applicable", count(verdicts, Outcome::passed), failed.size(),
                     names, count(verdicts, Outcome::not_applicable));
}

std::string json_of(std::string_view issuer, const std::vector<Verdict>& verdicts) {
  std::string json;
  wire::JsonWriter writer{json};
  writer.begin_object().member("issuer", issuer).key("rows").begin_array();
  for (const Verdict& verdict : verdicts) {
    writer.begin_object()
        .member("id", verdict.id)
        .member("title", verdict.title)
        .member("outcome", name_of(verdict.outcome))
        .member("checks", verdict.checks)
        .key("reasons")
        .begin_array();
    for (const std::string& reason : verdict.reasons) writer.value(reason);
    writer.end_array().end_object();
  }
  writer.end_array().end_object();
  return json;
}

bool has_failed(const std::vector<Verdict>& verdicts) noexcept { return count(verdicts, Outcome::failed) > 0; }

}  // namespace troupe::attack
