// Router: exact places first, then templates, then the longest pattern above; then the method.
#include "troupe/web/router.h"

#include <algorithm>
#include <utility>

#include "troupe/base/check.h"

namespace troupe::web {
namespace {

/// The places whose patterns end in "/*" are kept by what stands before the '*'.
bool is_below_pattern(std::string_view pattern) { return pattern.ends_with("/*"); }

bool is_template(std::string_view pattern) { return pattern.contains('{'); }

/// Cuts the next segment off a path that begins with '/'.
std::string_view next_segment(std::string_view& path) {
  path.remove_prefix(1);
  const auto end = std::min(path.find('/'), path.size());
  const auto segment = path.substr(0, end);
  path.remove_prefix(end);
  return segment;
}

/// Whether `path` has the segments of `pattern`, and some text for each in braces.
bool fits(std::string_view pattern, std::string_view path) {
  while (!pattern.empty() && !path.empty()) {
    const auto wanted = next_segment(pattern);
    const auto there = next_segment(path);
    const bool is_free = wanted.starts_with('{') && !there.empty();
    if (!is_free && wanted != there) return false;
  }
  return pattern.empty() && path.empty();
}

/// What is at a path may be another tomorrow, and 404 and 405 may be kept where nothing is said (RFC 9110, 15.1).
Response never_kept(Response response) {
  response.headers.set("Cache-Control", "no-store");
  return response;
}

}  // namespace

Response in_place_of(const Route* route, Response answer) {
  if (route == nullptr || route->options.refusal_readers != RefusalReaders::all) return answer;
  answer.headers.set("Access-Control-Allow-Origin", "*");
  answer.headers.set("Access-Control-Expose-Headers", "Retry-After, X-Request-Id");
  return answer;
}

Router::Place& Router::place(std::string pattern) {
  INVARIANT(pattern.starts_with('/'), "a pattern begins with '/'");
  if (is_template(pattern)) return templates_[std::move(pattern)];
  if (!is_below_pattern(pattern)) return exact_[std::move(pattern)];
  pattern.pop_back();
  return below_[std::move(pattern)];
}

void Router::add(Method method, std::string pattern, Handler handler, RouteOptions options) {
  INVARIANT(method != Method::other, "a route needs a method that has a name");
  bool added = place(pattern).routes.try_emplace(method, Route{std::move(handler), options}).second;
  INVARIANT(added, "a route was added twice");
}

void Router::upgrade(std::string path, UpgradeHandler handler) {
  Place& where = place(std::move(path));
  INVARIANT(!where.upgrade, "an upgrade was added twice");
  where.upgrade = std::move(handler);
}

void Router::stream(std::string path, StreamHandler handler) {
  Place& where = place(std::move(path));
  INVARIANT(!where.stream, "a stream was added twice");
  where.stream = std::move(handler);
}

const Router::Place* Router::find(std::string_view path) const {
  if (auto found = exact_.find(path); found != exact_.end()) return &found->second;
  const auto fitting = std::ranges::find_if(templates_, [&](const auto& each) { return fits(each.first, path); });
  if (fitting != templates_.end()) return &fitting->second;
  // From the longest directory to the root.
  for (std::size_t slash = path.rfind('/'); slash != std::string_view::npos; slash = path.rfind('/', slash - 1)) {
    if (auto found = below_.find(path.substr(0, slash + 1)); found != below_.end()) return &found->second;
    if (slash == 0) break;
  }
  return nullptr;
}

const Route* Router::route_for(const Place& place, Method method) {
  if (const auto own = place.routes.find(method); own != place.routes.end()) return &own->second;
  if (method != Method::head) return nullptr;
  const auto get = place.routes.find(Method::get);
  const bool is_answered = get != place.routes.end() && get->second.options.head == HeadRequests::as_get;
  return is_answered ? &get->second : nullptr;
}

std::string Router::allowed(const Place& place) {
  std::string list;
  auto add = [&list](std::string_view name) { list.append(list.empty() ? "" : ", ").append(name); };
  bool has_get = place.routes.contains(Method::get) || place.upgrade || place.stream;
  if (has_get) add("GET");
  if (route_for(place, Method::head) != nullptr) add("HEAD");
  for (const auto& [method, route] : place.routes) {
    if (method != Method::get && method != Method::head && method != Method::options) add(text(method));
  }
  add("OPTIONS");
  return list;
}

Router::Match Router::match(Method method, std::string_view path) const {
  if (path == "*") return Response{.status = 204, .headers = {{"Allow", "GET, HEAD, POST, OPTIONS"}}};
  const Place* place = find(path);
  if (place == nullptr) return never_kept(problem(404, "there is nothing at this path"));

  if (const Route* route = route_for(*place, method)) return route;
  if (method == Method::get && place->upgrade) return &place->upgrade;
  if (method == Method::get && place->stream) return &place->stream;

  Response response =
      method == Method::options ? Response{.status = 204} : never_kept(problem(405, "this path has other methods"));
  response.headers.add("Allow", allowed(*place));
  return response;
}

const Route* Router::route_in(const Match& match) noexcept {
  const auto* route = std::get_if<const Route*>(&match);
  return route != nullptr ? *route : nullptr;
}

std::vector<RouteName> Router::list() const {
  std::vector<RouteName> names;
  const auto add = [&](const std::string& pattern, const Place& place) {
    for (const auto& [method, route] : place.routes) names.push_back({RouteName::Kind::answer, method, pattern});
    if (place.upgrade) names.push_back({RouteName::Kind::upgrade, Method::get, pattern});
    if (place.stream) names.push_back({RouteName::Kind::stream, Method::get, pattern});
  };
  for (const auto& [path, place] : exact_) add(path, place);
  for (const auto& [pattern, place] : templates_) add(pattern, place);
  for (const auto& [prefix, place] : below_) add(prefix + '*', place);
  std::ranges::sort(names, {}, [](const RouteName& name) { return std::pair{name.pattern, name.method}; });
  return names;
}

}  // namespace troupe::web
