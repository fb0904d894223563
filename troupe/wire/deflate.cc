// zlib, one whole message at a time. Section numbers are those of RFC 7692.
#include "troupe/wire/deflate.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <new>

#include "troupe/base/check.h"
#include "troupe/wire/websocket.h"

namespace troupe::wire {
namespace {

constexpr std::string_view tail{"\0\0\xff\xff", 4};  // what each message leaves out (7.2.1)
constexpr std::size_t step_bytes = 16 * 1024;
constexpr int zlib_window_bits_min = 9;  // zlib has no smaller one for raw data

Bytef* octets(std::string_view text) noexcept { return reinterpret_cast<Bytef*>(const_cast<char*>(text.data())); }

/// The window with which zlib serves an agreement on `bits`. Of 2^9 bytes zlib refers back to 250 at most, for it
/// keeps the rest to look ahead; so it keeps to 2^8 as well.
constexpr int zlib_window_bits(int bits) noexcept { return std::max(bits, zlib_window_bits_min); }

/// Memory for hash chains: as zlib's default for a context that many share, less for one of many.
constexpr int memory_level(DeflateDirection direction) noexcept {
  return direction.context == DeflateContext::fresh ? 8 : std::clamp(direction.window_bits - 7, 1, 8);
}

/// zlib has failed for want of memory or by our mistake.
void need_ok(int answer) {
  if (answer == Z_MEM_ERROR) throw std::bad_alloc{};
  INVARIANT(answer == Z_OK, "zlib was called wrongly");
}

// ---- negotiation ----

std::optional<int> window_bits(std::string_view text) {
  if (text == "8" || text == "9") return text[0] - '0';
  if (text.size() == 2 && text[0] == '1' && text[1] >= '0' && text[1] <= '5') return 10 + (text[1] - '0');
  return std::nullopt;
}

/// The parameters of an offer, read.
struct Wanted {
  bool server_fresh = false;
  bool client_fresh = false;
  std::optional<int> server_bits;
  std::optional<int> client_bits;  // that the client can keep to; 15 when it leaves that to us
};

/// Takes one parameter; false when the offer must be declined for it.
bool take(Wanted& wanted, const ExtensionParameter& parameter) {
  const auto& [name, value] = parameter;
  if (name == "server_no_context_takeover") return !value && !std::exchange(wanted.server_fresh, true);
  if (name == "client_no_context_takeover") return !value && !std::exchange(wanted.client_fresh, true);
  if (name == "server_max_window_bits") {
    if (wanted.server_bits || !value) return false;
    return (wanted.server_bits = window_bits(*value)).has_value();
  }
  if (name == "client_max_window_bits") {
    if (wanted.client_bits) return false;
    wanted.client_bits = value ? window_bits(*value) : window_bits_max;
    return wanted.client_bits.has_value();
  }
  return false;
}

DeflateAgreement agree(const Wanted& wanted, const DeflatePolicy& policy) {
  DeflateAgreement made;
  const bool own = policy.sharing == DeflateSharing::own;
  if (own && !wanted.server_fresh) made.server.context = DeflateContext::kept;
  // A window that the client does not let us bound is kept only if we are ready for the largest.
  const bool bounded = wanted.client_bits || policy.window_bits == window_bits_max;
  if (own && !wanted.client_fresh && bounded) made.client.context = DeflateContext::kept;

  made.response = "permessage-deflate";
  auto say = [&](std::string_view name) { made.response.append("; ").append(name); };
  if (made.server.context == DeflateContext::fresh) say("server_no_context_takeover");
  if (made.client.context == DeflateContext::fresh) say("client_no_context_takeover");
  made.server.window_bits = wanted.server_bits.value_or(window_bits_max);
  if (made.server.context == DeflateContext::kept) {
    made.server.window_bits = std::min(made.server.window_bits, policy.window_bits);
  }
  if (wanted.server_bits || made.server.window_bits < window_bits_max) {
    say("server_max_window_bits=" + std::to_string(made.server.window_bits));
  }
  if (made.client.context == DeflateContext::kept && wanted.client_bits) {
    made.client.window_bits = std::min(*wanted.client_bits, policy.window_bits);
    say("client_max_window_bits=" + std::to_string(made.client.window_bits));
  }
  return made;
}

}  // namespace

std::optional<DeflateAgreement> choose_deflate(const std::vector<ExtensionOffer>& offers, const DeflatePolicy& policy) {
  for (const auto& offer : offers) {
    if (offer.name != "permessage-deflate") continue;
    Wanted wanted;
    bool sound = std::ranges::all_of(offer.parameters, [&](const auto& parameter) { return take(wanted, parameter); });
    if (sound) return agree(wanted, policy);
  }
  return std::nullopt;
}

// ---- deflating ----

struct Deflater::State {
  z_stream stream{};
  ~State() { deflateEnd(&stream); }
};

Deflater::Deflater(DeflateDirection direction) : state_(std::make_unique<State>()), context_(direction.context) {
  need_ok(deflateInit2(&state_->stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -zlib_window_bits(direction.window_bits),
                       memory_level(direction), Z_DEFAULT_STRATEGY));
}

Deflater::~Deflater() = default;

void Deflater::deflate(std::string_view payload, std::string& out) {
  if (payload.empty()) {
    out += '\0';  // an empty block; zlib makes none twice in a row (7.2.3.6)
    return;
  }
  z_stream& stream = state_->stream;
  if (context_ == DeflateContext::fresh) need_ok(deflateReset(&stream));
  stream.next_in = octets(payload);
  stream.avail_in = static_cast<uInt>(payload.size());
  INVARIANT(stream.avail_in == payload.size(), "a message of 4 GiB");
  do {
    std::size_t before = out.size();
    out.resize_and_overwrite(before + std::min(payload.size() + 64, step_bytes), [&](char* data, std::size_t size) {
      stream.next_out = octets({data + before, size - before});
      stream.avail_out = static_cast<uInt>(size - before);
      int answer = ::deflate(&stream, Z_SYNC_FLUSH);
      INVARIANT(answer == Z_OK || answer == Z_BUF_ERROR, "zlib was called wrongly");
      return size - stream.avail_out;
    });
  } while (stream.avail_out == 0);
  INVARIANT(out.ends_with(tail), "a flush ends with an empty block");
  out.resize(out.size() - tail.size());
}

std::optional<std::string> deflate_frame(Deflater& deflater, std::string_view frame) {
  FrameView view = view_frame(frame);
  std::string compressed(frame_head_bytes_max, '\0');
  deflater.deflate(view.payload, compressed);
  std::size_t bytes = compressed.size() - frame_head_bytes_max;
  if (bytes >= view.payload.size() && !deflater.keeps_context()) return std::nullopt;
  FrameHeader head{view.opcode, bytes, Compressed::yes};
  auto begin = frame_head_bytes_max - head.view().size();
  head.view().copy(compressed.data() + begin, head.view().size());
  compressed.erase(0, begin);
  return compressed;
}

// ---- inflating ----

struct Inflater::State {
  z_stream stream{};
  ~State() { inflateEnd(&stream); }
};

Inflater::Inflater(DeflateDirection direction) : state_(std::make_unique<State>()), context_(direction.context) {
  need_ok(inflateInit2(&state_->stream, -zlib_window_bits(direction.window_bits)));
}

Inflater::~Inflater() = default;

std::expected<std::string, InflateError> Inflater::inflate(std::string_view compressed, std::size_t bytes_max) {
  z_stream& stream = state_->stream;
  if (context_ == DeflateContext::fresh) need_ok(inflateReset(&stream));
  std::string message;
  std::array<char, step_bytes> step;
  bool between_blocks = true;
  for (std::string_view part : {compressed, tail}) {
    stream.next_in = octets(part);
    stream.avail_in = static_cast<uInt>(part.size());
    INVARIANT(stream.avail_in == part.size(), "a message of 4 GiB");
    do {
      stream.next_out = octets({step.data(), step.size()});
      stream.avail_out = step.size();
      int answer = ::inflate(&stream, Z_SYNC_FLUSH);
      if (answer == Z_MEM_ERROR) throw std::bad_alloc{};
      std::size_t bytes = step.size() - stream.avail_out;
      if (bytes > bytes_max - message.size()) return std::unexpected(InflateError::too_large);
      message.append(step.data(), bytes);
      constexpr int after_block = 128;  // zlib's word for it, beside the number of bits that it holds back
      between_blocks = (stream.data_type & 0xff) == after_block || answer == Z_STREAM_END;
      // A final block may stand inside of a message; what follows begins anew (7.2.3.4).
      if (answer == Z_STREAM_END) answer = inflateReset(&stream);
      if (answer != Z_OK && answer != Z_BUF_ERROR) return std::unexpected(InflateError::damaged);
    } while (stream.avail_in > 0 || stream.avail_out == 0);
  }
  // The tail is an empty block, so a whole message ends between two blocks, at a whole byte.
  if (!between_blocks) return std::unexpected(InflateError::damaged);
  return message;
}

}  // namespace troupe::wire
