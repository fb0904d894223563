// Which addresses a stranger may not send us to.
#include "troupe/net/public_address.h"

#include <doctest/doctest.h>

namespace troupe::net {
namespace {

TEST_CASE("addresses of the inside are not public, however they are written (T51)") {
  for (const char* text : {"127.0.0.1",
                           "127.255.255.254",
                           "0.0.0.0",
                           "0.1.2.3",
                           "10.0.0.1",
                           "172.16.0.1",
                           "172.31.255.255",
                           "192.168.1.1",
                           "100.64.0.1",
                           "100.127.255.255",
                           "169.254.169.254",
                           "192.0.0.8",
                           "192.0.2.1",
                           "198.18.0.1",
                           "198.19.255.255",
                           "198.51.100.7",
                           "203.0.113.9",
                           "224.0.0.1",
                           "239.255.255.255",
                           "240.0.0.1",
                           "255.255.255.255",
                           "::",
                           "::1",
                           "::ffff:127.0.0.1",
                           "::ffff:10.0.0.1",
                           "::ffff:169.254.169.254",
                           "::127.0.0.1",
                           "64:ff9b::7f00:1",
                           "64:ff9b:1::a00:1",
                           "fe80::1",
                           "febf::1",
                           "fc00::1",
                           "fd12:3456::1",
                           "fec0::1",
                           "ff02::1",
                           "2001:db8::1",
                           "2001::1",
                           "2002:7f00:1::",
                           "100::1",
                           "3fff::1",
                           "4000::1"}) {
    CAPTURE(text);
    CHECK_FALSE(is_public(IpAddress::parse(text).value()));
  }
}

TEST_CASE("addresses of the internet are public, those beside the special ones too") {
  for (const char* text :
       {"1.1.1.1",     "9.255.255.255", "11.0.0.0",        "100.63.255.255", "100.128.0.0",     "126.255.255.255",
        "128.0.0.1",   "169.253.0.1",   "172.15.0.1",      "172.32.0.1",     "192.0.1.1",       "192.167.0.1",
        "198.17.0.1",  "198.20.0.1",    "223.255.255.255", "::ffff:8.8.8.8", "2606:4700::1111", "2a00:1450::1",
        "2001:200::1", "2001:db9::1",   "2003::1"}) {
    CAPTURE(text);
    CHECK(is_public(IpAddress::parse(text).value()));
  }
}

}  // namespace
}  // namespace troupe::net
