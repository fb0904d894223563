// Which compressor serves which frame, and what it has saved.
#include "troupe/realtime/connection/compression.h"

namespace troupe::realtime {

std::optional<wire::DeflatePolicy> deflate_policy(const CompressionOptions& options) {
  switch (options.deflate) {
    case Deflate::off:
      return std::nullopt;
    case Deflate::shared:
      return wire::DeflatePolicy{};
    case Deflate::own:
      return wire::DeflatePolicy{wire::DeflateSharing::own, static_cast<int>(options.window_bits)};
  }
  return std::nullopt;
}

wire::Inflater& CoreCompression::inflater() {
  if (!inflater_) inflater_ = std::make_unique<wire::Inflater>(wire::DeflateDirection{});
  return *inflater_;
}

wire::Deflater& CoreCompression::deflater(int window_bits) {
  auto& made = deflaters_[static_cast<std::size_t>(window_bits)];
  if (!made) made = std::make_unique<wire::Deflater>(wire::DeflateDirection{.window_bits = window_bits});
  return *made;
}

FrameRef CoreCompression::deflated(const FrameRef& frame, int window_bits) {
  // In a message that fits into the window nothing can refer back farther: there the widest compressor serves all.
  const bool narrow = frame->bytes.size() >> window_bits != 0;
  if (narrow && window_bits < wire::window_bits_max) {
    ++figures_.runs;
    auto bytes = wire::deflate_frame(deflater(window_bits), frame->bytes.view());
    return bytes ? FrameRef::control(base::Bytes{*bytes}) : frame;
  }
  if (!std::exchange(frame->deflate_tried, true)) {
    ++figures_.runs;
    auto bytes = wire::deflate_frame(deflater(wire::window_bits_max), frame->bytes.view());
    if (bytes) frame->deflated = FrameRef::control(base::Bytes{*bytes});
  }
  return frame->deflated ? frame->deflated : frame;
}

ConnectionCompression::ConnectionCompression(CoreCompression& core, const wire::DeflateAgreement& agreement)
    : core_(&core), window_bits_(agreement.server.window_bits) {
  using enum wire::DeflateContext;
  if (agreement.server.context == kept) own_deflater_ = std::make_unique<wire::Deflater>(agreement.server);
  if (agreement.client.context == kept) own_inflater_ = std::make_unique<wire::Inflater>(agreement.client);
}

FrameRef ConnectionCompression::outgoing(FrameRef frame) {
  const auto before = frame->bytes.size();
  if (before < core_->options().bytes_min) return frame;
  FrameRef after;
  if (own_deflater_) {
    ++core_->figures().runs;
    auto bytes = wire::deflate_frame(*own_deflater_, frame->bytes.view());
    after = FrameRef::control(base::Bytes{*bytes});
  } else {
    after = core_->deflated(frame, window_bits_);
    if (&*after == &*frame) return after;
  }
  auto& figures = core_->figures();
  ++figures.frames;
  if (after->bytes.size() < before) figures.bytes_saved += before - after->bytes.size();
  return after;
}

}  // namespace troupe::realtime
