// Blocks: their sizes, their alignment, that none is given twice, and that a warm pool needs no more memory.
#include "troupe/actor/runtime/block_pool.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>

#include "troupe/base/random.h"

using namespace troupe::actor;

TEST_CASE("a class is the smallest that holds the bytes") {
  struct Row {
    std::size_t bytes;
    std::size_t size_class;
  };
  constexpr Row rows[] = {{1, 0},
                          {64, 0},
                          {65, 1},
                          {128, 1},
                          {129, 2},
                          {256, 2},
                          {257, 3},
                          {512, 3},
                          {513, 4},
                          {1024, 4},
                          {1025, 5},
                          {4096, 6},
                          {4097, BlockPool::classes}};
  for (const auto& [bytes, size_class] : rows) CHECK_EQ(BlockPool::class_of(bytes), size_class);
}

TEST_CASE("blocks that live never overlap, whatever their sizes, and are aligned") {
  BlockPool pool;
  troupe::base::SeededRandom random{7};
  struct Block {
    unsigned char* memory;
    std::size_t bytes;
    unsigned char mark;
  };
  std::vector<Block> blocks;
  auto give_back = [&](std::size_t i) {
    const Block block = blocks[i];
    REQUIRE(std::all_of(block.memory, block.memory + block.bytes, [&](unsigned char c) { return c == block.mark; }));
    pool.release(block.memory, block.bytes);
    blocks[i] = blocks.back();
    blocks.pop_back();
  };
  for (int step = 0; step < 20'000; ++step) {
    if (!blocks.empty() && random.below(100) < 48) {
      give_back(random.below(blocks.size()));
      continue;
    }
    const std::size_t bytes = 1 + random.below(4800);
    auto* memory = static_cast<unsigned char*>(pool.allocate(bytes));
    REQUIRE_EQ(reinterpret_cast<std::uintptr_t>(memory) % 16, 0);
    const auto mark = static_cast<unsigned char>(step);
    std::memset(memory, mark, bytes);
    blocks.push_back({memory, bytes, mark});
  }
  while (!blocks.empty()) give_back(blocks.size() - 1);
}

#if !defined(TROUPE_POOL_PASSTHROUGH)
TEST_CASE("a block that came back is the next one given") {
  BlockPool pool;
  void* first = pool.allocate(100);
  void* second = pool.allocate(100);
  pool.release(first, 100);
  CHECK_EQ(pool.allocate(128), first);
  pool.release(second, 100);
  pool.release(first, 128);
}
#endif
