// ProvenTokens: signed tokens whose signature held when they were shown before, so that it is not checked each time.
//
// A resource server asks about the same token again and again, and a signature costs more than all else that an answer
// takes. What stands here says who made a token, never that it is live: that is in its row. Found by the SHA-256 of the
// whole text, so that a text of which one bit differs is another one. Owned by one TokenFactory, which clears it when
// its keys change. Bounded: two halves, of which the older one goes when the newer is full; what is asked about stays.
#pragma once

#include <cstddef>
#include <cstring>
#include <optional>
#include <unordered_map>
#include <utility>

#include "troupe/crypto/digest.h"

namespace troupe::oauth {

template <class Token>
class ProvenTokens {
 public:
  /// Holds up to twice `half` tokens; `half` >= 1.
  explicit ProvenTokens(std::size_t half) : half_(half) {}

  /// What the text with this digest was proven to be; null when it has not been lately. Good until the next call.
  const Token* find(const crypto::Digest& text) {
    if (const auto found = newer_.find(text); found != newer_.end()) return &found->second;
    const auto found = older_.find(text);
    if (found == older_.end()) return nullptr;
    Token again = std::move(found->second);
    older_.erase(found);
    return &insert(text, std::move(again));
  }

  const Token& insert(const crypto::Digest& text, Token token) {
    if (newer_.size() >= half_) {
      older_ = std::move(newer_);
      newer_ = {};
    }
    return newer_.insert_or_assign(text, std::move(token)).first->second;
  }

  void clear() {
    newer_.clear();
    older_.clear();
  }

  std::size_t size() const noexcept { return newer_.size() + older_.size(); }

 private:
  /// The bits of a digest are as good as random, and nobody but us makes texts that come in.
  struct FirstBytes {
    std::size_t operator()(const crypto::Digest& digest) const noexcept {
      std::size_t first = 0;
      std::memcpy(&first, digest.bytes.data(), sizeof first);
      return first;
    }
  };
  using Half = std::unordered_map<crypto::Digest, Token, FirstBytes>;

  std::size_t half_;
  Half newer_;
  Half older_;
};

}  // namespace troupe::oauth
