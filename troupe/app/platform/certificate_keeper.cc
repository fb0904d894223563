// See certificate_keeper.h. A file that is replaced changes its inode, one that is written over
// its time; so nothing needs to watch the folder.
#include "troupe/app/platform/certificate_keeper.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <chrono>
#include <utility>

#include "troupe/actor/offload/offload.h"
#include "troupe/app/config/whole_file.h"
#include "troupe/base/log.h"

namespace troupe::app {
namespace {

constexpr std::size_t file_bytes_max = 1024 * 1024;

std::expected<std::string, std::string> read_file(const std::string& path) {
  auto text = read_whole_file(path, file_bytes_max);
  if (text) return *std::move(text);
  return std::unexpected(fmt::format("{} cannot be read: {}", path, text.error().message()));
}

/// Of files that have been read before. A thread that waits for a pipe to which nobody writes would keep the process
/// from its end.
crypto::TlsContext::Made read_certificate_again(const CertificateFiles& files) {
  for (const std::string& file : {files.certificate, files.key}) {
    if (is_read_once(file)) return std::unexpected(fmt::format("{} is no file, but a pipe that has been read", file));
  }
  return read_certificate(files);
}

}  // namespace

crypto::TlsContext::Made read_certificate(const CertificateFiles& files) {
  auto certificate = read_file(files.certificate);
  if (!certificate) return std::unexpected(certificate.error());
  auto key = read_file(files.key);
  if (!key) return std::unexpected(key.error());
  auto made = crypto::TlsContext::server(*certificate, base::Secret<std::string>{*std::move(key)});
  if (made) return made;
  return std::unexpected(fmt::format("{} with {}: {}", files.certificate, files.key, made.error()));
}

std::string_view worry_about(base::UnixTime expires, base::UnixTime now) {
  if (expires <= now) return "the TLS certificate has expired";
  if (expires - now < std::chrono::days{14}) return "the TLS certificate ends within fourteen days";
  return "";
}

CertificateKeeper::Stamp CertificateKeeper::stamp_of(const std::string& path) {
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0) return {};
  return {found.st_mtim.tv_sec * 1'000'000'000 + found.st_mtim.tv_nsec, found.st_ino, found.st_size};
}

CertificateKeeper::CertificateKeeper(base::PublishedReader<CertificateFiles> files,
                                     base::Published<crypto::TlsContext> in_force, base::Metrics* metrics)
    : files_(std::move(files)),
      in_force_(std::move(in_force)),
      expires_at_(metrics->gauge("troupe_tls_certificate_expiry_timestamp_seconds",
                                 "When the TLS certificate in force ends, in seconds since 1970.")) {}

/// What was written before the first look, or while this actor was restarted, is not missed.
actor::Task<void> CertificateKeeper::started(actor::Context& ctx) {
  ctx.after(this, look_every, LookAtFiles{});
  co_await handle(ReloadCertificate{});
}

actor::Task<void> CertificateKeeper::handle(LookAtFiles, actor::Context& ctx) {
  ctx.after(this, look_every, LookAtFiles{});
  const Stamps now = co_await actor::blocking([files = *files_.read()] { return stamps_of(files); });
  if (now == seen_) co_return;
  co_await read(Say::what_is_new);
}

actor::Task<void> CertificateKeeper::handle(ReloadCertificate) { co_await read(Say::all); }

actor::Task<void> CertificateKeeper::read(Say say) {
  const CertificateFiles files = *files_.read();
  auto found = co_await actor::blocking([files] {
    const Stamps before = stamps_of(files);  // what is written while we read is seen as new at the next look
    return Found{before, others_can_read(files.key), read_certificate_again(files)};
  });
  const base::UnixTime now = actor::Core::current()->wall();
  if (const auto present = in_force_.reader().read();
      found.read && (*found.read)->expires_at() <= now && present && present->expires_at() > now) {
    found.read = std::unexpected(fmt::format("{} has expired, and the one in force has not", files.certificate));
  }
  if (!found.read) {
    // Tried again at each look: what kept it from being read need not change the file.
    const bool is_new = std::exchange(why_not_, found.read.error()) != found.read.error();
    if (is_new || say == Say::all) {
      base::log::error("app", "the TLS certificate was not replaced", {{"why", found.read.error()}});
    }
    co_return;
  }
  seen_ = found.stamps;
  why_not_.clear();
  const auto expires = (*found.read)->expires_at();
  in_force_.publish(*std::move(found.read));
  in_force_from_ = files.certificate;
  ++times_read_;
  expires_at_.add(expires.seconds() - expires_at_.value());  // nobody else adds to it
  base::log::info("app", "the TLS certificate was read",
                  {{"file", files.certificate}, {"expires_at", expires.seconds()}});
  const auto worry = worry_about(expires, now);
  if (!worry.empty())
    base::log::warning("app", worry, {{"file", files.certificate}, {"expires_at", expires.seconds()}});
  if (found.key_is_open)
    base::log::warning("app", "everybody on this machine can read the TLS key", {{"file", files.key}});
}

void CertificateKeeper::inspect(actor::Inspection& out) const {
  out.add("certificate", in_force_from_);
  out.add("expires_at", std::to_string(expires_at_.value()));
  out.add("times_read", times_read_);
}

}  // namespace troupe::app
