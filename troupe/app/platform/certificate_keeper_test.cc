// Files of a certificate: read at the start, replaced while the server runs, and what becomes of
// bad ones.
#include "troupe/app/platform/certificate_keeper.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "troupe/actor/sim/world.h"
#include "troupe/base/log.h"
#include "troupe/base/testing/temporary_folder.h"
#include "troupe/crypto/testing/certificates.h"

using namespace troupe;
using namespace troupe::app;
using namespace troupe::crypto::testing;
using namespace std::chrono_literals;

namespace {

/// Of the first key, good throughout 2020.
constexpr std::string_view expired_certificate = R"(-----BEGIN CERTIFICATE-----
MIIBFTCBvAIBATAKBggqhkjOPQQDAjAXMRUwEwYDVQQDDAx0ZXN0LmV4YW1wbGUw
HhcNMjAwMTAxMDAwMDAwWhcNMjEwMTAxMDAwMDAwWjAXMRUwEwYDVQQDDAx0ZXN0
LmV4YW1wbGUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQuvrhBZdw0oKCyD7+Y
3ei8KoQakHEb8RCbSksOtI6ZUNoj1tIHGfuWly55FNtGjQvTg9ZOEjFLx8VDLBWa
2Ul2MAoGCCqGSM49BAMCA0gAMEUCIDnbgfN9pV5W01tOmfUreifCkKThDT+kV1K7
Ms7zDRsyAiEAihJDH03NUEQtR7QAZTZJZgh8yeSTWLvo1tpfUb2vaJ0=
-----END CERTIFICATE-----
)";

struct Folder {
  Folder() { write(first_certificate, first_key); }

  CertificateFiles files() const { return {path + "/cert.pem", path + "/key.pem"}; }
  /// As a careful tool does: beside the old ones, then in their place.
  void write(std::string_view certificate, std::string_view key) const {
    for (const auto& [text, to] : {std::pair{certificate, files().certificate}, {key, files().key}}) {
      std::ofstream{to + ".new"} << text;
      allow(to + ".new", std::filesystem::perms::owner_read);
      std::filesystem::rename(to + ".new", to);
    }
  }
  static void allow(const std::string& file, std::filesystem::perms what) {
    std::filesystem::permissions(file, what | std::filesystem::perms::owner_write);
  }

  troupe::base::TemporaryFolder temporary;
  std::string path = temporary.path();
};

struct Kept {
  explicit Kept(const Folder& folder) {
    files.publish(folder.files());
    published.publish(read_certificate(folder.files()).value());
    keeper = world.spawn<CertificateKeeper>({.name = "certificate"}, files.reader(), published, &metrics);
    world.advance(1s);
    first = reader.read();
  }
  ~Kept() { world.shutdown(); }
  bool was_replaced() { return reader.read() != first; }
  /// Has it read at once, and gives the log of that.
  std::vector<std::string> reload() {
    const base::log::Capture log;
    keeper.tell(ReloadCertificate{});
    world.advance(1s);
    return log.lines();
  }

  base::Metrics metrics;
  actor::test::World world{1};
  base::Published<CertificateFiles> files;
  base::Published<crypto::TlsContext> published;
  base::PublishedReader<crypto::TlsContext> reader = published.reader();
  std::shared_ptr<const crypto::TlsContext> first;
  actor::Ref<CertificateKeeper> keeper;
};

}  // namespace

TEST_CASE("files that change are read within half a minute, and not before they do") {
  const Folder folder;
  Kept kept{folder};
  kept.world.advance(5min);
  CHECK_FALSE(kept.was_replaced());
  folder.write(second_certificate, second_key);
  kept.world.advance(31s);
  CHECK(kept.was_replaced());
}

TEST_CASE("whoever asks for it has the files read at once") {
  const Folder folder;
  Kept kept{folder};
  kept.reload();
  CHECK(kept.was_replaced());
}

TEST_CASE("what was written before the keeper began is not missed") {
  const Folder folder;
  Kept kept{folder};
  const auto was_shown = read_certificate(folder.files()).value();
  kept.published.publish(was_shown);
  folder.write(second_certificate, second_key);
  kept.world.spawn<CertificateKeeper>({.name = "next"}, kept.files.reader(), kept.published, &kept.metrics);
  kept.world.advance(1s);
  CHECK(kept.reader.read() != was_shown);
}

TEST_CASE("other files are read, and looked at from then on") {
  const Folder before, after;
  Kept kept{before};
  auto next = after.files();
  next.key += ".later";
  kept.files.publish(next);
  CHECK(kept.reload().at(0).contains(next.key + " cannot be read"));
  CHECK_FALSE(kept.was_replaced());
  std::filesystem::rename(after.files().key, next.key);
  kept.world.advance(31s);
  CHECK(kept.was_replaced());
}

TEST_CASE("a key that everybody may read is warned of, and used") {
  const Folder folder;
  Kept kept{folder};
  CHECK_EQ(kept.reload().size(), 1);
  Folder::allow(folder.files().key, std::filesystem::perms::group_read);
  CHECK_EQ(kept.reload().size(), 1);
  Folder::allow(folder.files().key, std::filesystem::perms::others_read);
  const auto log = kept.reload();
  REQUIRE_EQ(log.size(), 2);
  CHECK(log[0].contains("was read"));
  CHECK(log[1].contains("everybody on this machine can read the TLS key"));
}

TEST_CASE("a certificate that has ended, or will within fourteen days, is warned of") {
  const base::UnixTime now{1'800'000'000'000};
  const auto in_days = [&](std::int64_t days) { return base::UnixTime{now.milliseconds + days * 24 * 3600 * 1000}; };
  CHECK(worry_about(in_days(15), now).empty());
  CHECK(worry_about(in_days(13), now).contains("within fourteen days"));
  CHECK(worry_about(in_days(0), now).contains("has expired"));
  CHECK(worry_about(in_days(-300), now).contains("has expired"));
}

TEST_CASE("metrics tell when the certificate ends, however often it is read") {
  const Folder folder;
  Kept kept{folder};
  kept.reload();
  CHECK_EQ(kept.metrics.gauge("troupe_tls_certificate_expiry_timestamp_seconds", "").value(),
           kept.first->expires_at().seconds());
}

TEST_CASE("bad files leave the last good ones in force, until they are good again") {
  const Folder folder;
  Kept kept{folder};
  folder.write(second_certificate, first_key);
  kept.world.advance(31s);
  CHECK(kept.reload().at(0).contains("the TLS certificate was not replaced"));
  CHECK_FALSE(kept.was_replaced());
  std::filesystem::remove(folder.files().key);
  kept.world.advance(31s);
  CHECK_FALSE(kept.was_replaced());
  folder.write(second_certificate, second_key);
  kept.world.advance(31s);
  CHECK(kept.was_replaced());
}

TEST_CASE("a certificate that has expired takes the place of none that is good") {
  const Folder folder;
  Kept kept{folder};
  folder.write(expired_certificate, first_key);
  CHECK(kept.reload().at(0).contains("cert.pem has expired, and the one in force has not"));
  CHECK_FALSE(kept.was_replaced());
  kept.published.publish(read_certificate(folder.files()).value());
  folder.write(expired_certificate, first_key);
  CHECK_EQ(kept.reload().size(), 2);  // it was read, and a warning
}

TEST_CASE("a key that came through a pipe stays in force, and nobody waits for another one to come") {
  const Folder folder;
  Kept kept{folder};
  int ends[2];
  REQUIRE_EQ(::pipe(ends), 0);
  ::close(ends[1]);
  auto files = folder.files();
  files.key = fmt::format("/dev/fd/{}", ends[0]);
  kept.files.publish(files);
  CHECK(kept.reload().at(0).contains(files.key + " is no file, but a pipe that has been read"));
  CHECK_FALSE(kept.was_replaced());
  ::close(ends[0]);
}

TEST_CASE("files that are no good are told by their names") {
  const Folder folder;
  auto missing = folder.files();
  missing.certificate += ".nowhere";
  CHECK_EQ(read_certificate(missing).error(), missing.certificate + " cannot be read: No such file or directory");
  folder.write(first_certificate, second_key);
  CHECK(read_certificate(folder.files()).error().contains("the key is not the certificate's"));
  CHECK(read_certificate({folder.path, folder.files().key}).error().contains("cannot be read"));
}
