// See joined_frames.h.
#include "troupe/realtime/connection/joined_frames.h"

namespace troupe::realtime {

void JoinedFrames::forget() noexcept {
  for (std::size_t i = 0; i < used_; ++i) {
    runs_[i].frames.clear();
    runs_[i].bytes.clear();
  }
  used_ = next_ = 0;
}

std::string_view JoinedFrames::Run::piece() {
  if (bytes.empty()) {
    for (const auto& frame : frames) bytes += frame->bytes.view();
  }
  return bytes;
}

}  // namespace troupe::realtime
