#include "crypto/hash.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <stdexcept>
#include <string>

namespace p2pdiag::crypto {

std::array<std::uint8_t, 20> hmac_sha1(ByteView key, ByteView data) {
    // OpenSSL takes a null key for "the key of before".
    static constexpr std::uint8_t no_key = 0;
    std::array<std::uint8_t, 20> digest{};
    unsigned size = 0;
    const auto* done =
        HMAC(EVP_sha1(), key.empty() ? &no_key : key.data(), static_cast<int>(key.size()),
             data.data(), data.size(), digest.data(), &size);
    if (done == nullptr || size != digest.size()) throw std::runtime_error("HMAC-SHA1 failed");
    return digest;
}

Bytes long_term_key(std::string_view username, std::string_view realm, std::string_view password) {
    std::string text(username);
    text.append(":").append(realm).append(":").append(password);
    Bytes key(16);
    unsigned size = 0;
    if (EVP_Digest(text.data(), text.size(), key.data(), &size, EVP_md5(), nullptr) != 1) return {};
    key.resize(size);
    return key;
}

}  // namespace p2pdiag::crypto
