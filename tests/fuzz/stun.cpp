// The STUN codec: any datagram is parsed or refused, and what is parsed means the same after it was
// written and parsed again.
#include <cstdlib>

#include "wire/stun/message.hpp"

using namespace p2pdiag;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

// Not the real one, which would only slow the fuzzer down.
std::array<std::uint8_t, 20> checksum(ByteView key, ByteView data) {
    std::array<std::uint8_t, 20> sum{};
    for (std::size_t i = 0; i < data.size(); ++i) {
        sum[i % sum.size()] = static_cast<std::uint8_t>(sum[i % sum.size()] + data[i]);
    }
    for (std::size_t i = 0; i < key.size(); ++i) sum[i % sum.size()] ^= key[i];
    return sum;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView datagram(data, size);
    const bool looks = stun::looks_like_stun(datagram);
    const Bytes key = {1, 2, 3};
    const bool right = stun::check_integrity(datagram, key, checksum);
    const auto first = stun::parse(datagram);
    if (!first) return 0;
    require(looks);
    require(!right || first->has_integrity);

    stun::EncodeOptions options;
    options.integrity_key = key;
    options.hmac = checksum;
    // With the attributes added, a message of the largest size would not fit its length field.
    if (size > 65000) return 0;
    const Bytes again = stun::encode(*first, options);
    const auto second = stun::parse(again);
    require(second.has_value());
    require(stun::check_integrity(again, key, checksum));
    require(second->transaction == first->transaction);
    require(second->method == first->method);
    require(second->message_class == first->message_class);
    require(second->reflexive_address() == first->reflexive_address());
    require(second->other_address == first->other_address);
    require(second->response_origin == first->response_origin);
    require(second->alternate_server == first->alternate_server);
    require(second->change_request == first->change_request);
    require(second->response_port == first->response_port);
    require(second->error.has_value() == first->error.has_value());
    require(second->unknown_attributes == first->unknown_attributes);
    require(second->software == first->software);
    require(second->username == first->username);
    require(second->realm == first->realm);
    require(second->nonce == first->nonce);
    require(second->others.size() == first->others.size());
    return 0;
}
