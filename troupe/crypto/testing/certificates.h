// Certificates for tests: two of the same name, each signed by itself and good until 2126, their
// keys, and a key that needs a passphrase. Nothing outside of tests trusts them.
#pragma once

#include <string_view>

namespace troupe::crypto::testing {

inline constexpr std::string_view certificate_name = "test.example";

inline constexpr std::string_view first_certificate = R"(-----BEGIN CERTIFICATE-----
MIIBnjCCAUSgAwIBAgIUBXnh6N9IDWos4Ov3ivFrv6DhzlgwCgYIKoZIzj0EAwIw
FzEVMBMGA1UEAwwMdGVzdC5leGFtcGxlMCAXDTI2MTEyNjE1MjAxN1oYDzIxMjYx
MTAyMTUyMDE3WjAXMRUwEwYDVQQDDAx0ZXN0LmV4YW1wbGUwWTATBgcqhkjOPQIB
BggqhkjOPQMBBwNCAAQuvrhBZdw0oKCyD7+Y3ei8KoQakHEb8RCbSksOtI6ZUNoj
1tIHGfuWly55FNtGjQvTg9ZOEjFLx8VDLBWa2Ul2o2wwajAdBgNVHQ4EFgQUqsHD
8K8xqTHCwHsqlD9o8GhzcuswHwYDVR0jBBgwFoAUqsHD8K8xqTHCwHsqlD9o8Ghz
cuswDwYDVR0TAQH/BAUwAwEB/zAXBgNVHREEEDAOggx0ZXN0LmV4YW1wbGUwCgYI
KoZIzj0EAwIDSAAwRQIgfncXK96ayxxJkBr0QmDdCSkJAVMR6wSER9L0qn3YfG8C
IQDCZyxhGCDSgRce44GPrMYzPsODLkqwjfedmQJiZ8187Q==
-----END CERTIFICATE-----
)";

inline constexpr std::string_view first_key = R"(-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgSPV/3JQXZDvW9LEj
HloWdaAi5iVS7v2fAIvgZyWZnOOhRANCAAQuvrhBZdw0oKCyD7+Y3ei8KoQakHEb
8RCbSksOtI6ZUNoj1tIHGfuWly55FNtGjQvTg9ZOEjFLx8VDLBWa2Ul2
-----END PRIVATE KEY-----
)";

inline constexpr std::string_view second_certificate = R"(-----BEGIN CERTIFICATE-----
MIIBnjCCAUSgAwIBAgIUBpvyD9NMCT1uJ50HBg82/UChCl4wCgYIKoZIzj0EAwIw
FzEVMBMGA1UEAwwMdGVzdC5leGFtcGxlMCAXDTI2MTEyNjE1MjAxN1oYDzIxMjYx
MTAyMTUyMDE3WjAXMRUwEwYDVQQDDAx0ZXN0LmV4YW1wbGUwWTATBgcqhkjOPQIB
BggqhkjOPQMBBwNCAAS1b1WVN38F+/j3RHfR1Ncody0PIXl7pYvjm7k9rJoVCVV1
jm/aonZlJirK4iLbMthh8oGPzafCZxX2Xvux3L1oo2wwajAdBgNVHQ4EFgQUrTsY
ipeILT5GOGGrP6fS9zh0wnIwHwYDVR0jBBgwFoAUrTsYipeILT5GOGGrP6fS9zh0
wnIwDwYDVR0TAQH/BAUwAwEB/zAXBgNVHREEEDAOggx0ZXN0LmV4YW1wbGUwCgYI
KoZIzj0EAwIDSAAwRQIgQPMehQRCYPEVrRYlWobMp5cyqohQHj8Do8X693CIjUcC
IQD6C2N3OtJ+9UtCTPRmQFrf9MedfDtFOPkxALdaoCLXfA==
-----END CERTIFICATE-----
)";

inline constexpr std::string_view second_key = R"(-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgkbBNG2AvW0Fsz4s5
rGigu4gRWx0lBzIbGIl5l653rTuhRANCAAS1b1WVN38F+/j3RHfR1Ncody0PIXl7
pYvjm7k9rJoVCVV1jm/aonZlJirK4iLbMthh8oGPzafCZxX2Xvux3L1o
-----END PRIVATE KEY-----
)";

inline constexpr std::string_view locked_key = R"(-----BEGIN EC PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-128-CBC,1E6602CBF0C46A6477F240002B5C21F3

NJgdvio5brHD0iAWjx50Cg7Sn5kn7gqKL4v0ISdOQM3NAzPcmxnRA2ndwH6gKpqe
5yNEN0C+BkYBO7z3Aah8VzPKOGDlm5d5zPW35imunArMeMxrk873lI1tvgBSrL/1
MXN/J1Q9KPDV99Vriex0FDfqM3fD7v9C+F1mQjiZrC0=
-----END EC PRIVATE KEY-----
)";

}  // namespace troupe::crypto::testing
