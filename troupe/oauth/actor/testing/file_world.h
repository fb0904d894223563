// FileWorld: the actors over a database whose readers answer beside its writer, as one in a file does: what was read
// may come back after what was written since.
#pragma once

#include "troupe/oauth/actor/testing/actor_world.h"

namespace troupe::oauth::fixture {

class ReadsBesideWriter final : public store::Engine {
 public:
  explicit ReadsBesideWriter(Disk disk) : inner_(store::sqlite_engine(std::move(disk))) {}
  std::unique_ptr<store::Session> open() override { return inner_->open(); }
  bool reads_beside_writer() const noexcept override { return true; }

 private:
  std::shared_ptr<store::Engine> inner_;
};

struct FileWorld : WorldOnDisk, Actors<actor::test::World> {
  explicit FileWorld(actor::test::Seed seed)
      : WorldOnDisk{.world = actor::test::World{seed}, .disk = new_disk()},
        Actors(world, std::make_shared<ReadsBesideWriter>(disk)) {}
};

}  // namespace troupe::oauth::fixture
