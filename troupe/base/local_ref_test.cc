// LocalRef: the object ends with its last owner, whatever type that one knows it by.
#include "troupe/base/local_ref.h"

#include <doctest/doctest.h>

namespace troupe::base {
namespace {

struct Animal : LocallyOwned {
  virtual ~Animal() = default;
};
struct Dog final : Animal {
  explicit Dog(int& its_ends) : ends(its_ends) {}
  ~Dog() override { ++ends; }
  int& ends;
};

TEST_CASE("an object ends with its last owner, once") {
  int ends = 0;
  auto dog = make_local<Dog>(ends);
  CHECK(dog->has_one_owner());
  LocalRef<Animal> animal = dog;
  LocalRef<Dog> again{*dog};
  CHECK(animal == LocalRef<Animal>{again});
  dog.reset();
  dog = std::move(again);
  CHECK(again == nullptr);
  dog = *&dog;
  dog = nullptr;
  CHECK_EQ(ends, 0);
  CHECK(animal->has_one_owner());
  animal.reset();
  CHECK_EQ(ends, 1);
}

}  // namespace
}  // namespace troupe::base
