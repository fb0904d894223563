// Floor of `echo` and `ping`: every frame goes back as it came, in the bytes it came in.
#include "bench/support/frame_server.h"

namespace troupe::bench {
namespace {

class EchoServer final : public FrameServer {
  void on_frame(Connection& from, Frame frame) override {
    // A client's header is always longer than a server's of the same length: there is room before the payload.
    const auto header = write_header_before(frame.payload.data(), frame.opcode, frame.payload.size());
    write(from, {frame.payload.data() - header, frame.payload.size() + header});
  }
};

}  // namespace
}  // namespace troupe::bench

int main() { troupe::bench::EchoServer{}.run(); }
