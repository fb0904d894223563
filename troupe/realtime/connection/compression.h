// Compression: permessage-deflate (RFC 7692) as the connections of one core use it.
//
// By default no connection has a context of its own: one compressor and one decompressor of
// the core serve them all, and a publication is compressed once for all of its subscribers
// here. A connection may have its own instead, of a bounded window. Frames are compressed
// when they are about to be written, so what is dropped before costs nothing. One core.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "troupe/realtime/connection/frame_coding.h"
#include "troupe/realtime/topic/local_frame.h"
#include "troupe/wire/deflate.h"

namespace troupe::realtime {

enum class Deflate : std::uint8_t {
  off,     // not spoken
  shared,  // no connection costs memory for it
  own,     // each has its own contexts: up to a third of the bytes less, for some ten or hundred kilobytes each
};

struct CompressionOptions {
  Deflate deflate = Deflate::shared;
  std::size_t bytes_min = 150;   // below it little is gained, and a packet is sent anyway
  std::size_t window_bits = 12;  // of an own context: 4 KiB hold some dozens of messages
};

struct CompressionFigures {
  std::uint64_t runs = 0;         // frames that were compressed
  std::uint64_t frames = 0;       // that left compressed; one run may serve many
  std::uint64_t bytes_saved = 0;  // that did not leave because of it
};

/// What a core has for it. Made when the first connection needs it.
class CoreCompression {
 public:
  /// What holds from now on; what was agreed on with open connections stays.
  void use(const CompressionOptions& options) { options_ = options; }
  const CompressionOptions& options() const noexcept { return options_; }
  CompressionFigures& figures() noexcept { return figures_; }
  const CompressionFigures& figures() const noexcept { return figures_; }

  /// Takes apart what any client with a fresh context has compressed.
  wire::Inflater& inflater();
  /// The frame compressed for whoever has agreed on a fresh context with such a window; itself when that is no shorter.
  FrameRef deflated(const FrameRef& frame, int window_bits);

 private:
  wire::Deflater& deflater(int window_bits);

  CompressionOptions options_;
  CompressionFigures figures_;
  std::unique_ptr<wire::Inflater> inflater_;
  std::array<std::unique_ptr<wire::Deflater>, wire::window_bits_max + 1> deflaters_;  // by window
};

/// What one connection has agreed on.
class ConnectionCompression final : public FrameCoding {
 public:
  /// `core` must outlive this.
  ConnectionCompression(CoreCompression& core, const wire::DeflateAgreement& agreement);

  /// What reads its client's messages.
  wire::Inflater& inflater() { return own_inflater_ ? *own_inflater_ : core_->inflater(); }
  /// The frame as it leaves. With an own context each that is given must leave, and in this order.
  FrameRef outgoing(FrameRef frame) override;

 private:
  CoreCompression* core_;
  int window_bits_;
  std::unique_ptr<wire::Deflater> own_deflater_;
  std::unique_ptr<wire::Inflater> own_inflater_;
};

/// What a server with these options is ready to agree on; nothing where compression is off.
std::optional<wire::DeflatePolicy> deflate_policy(const CompressionOptions& options);

}  // namespace troupe::realtime
