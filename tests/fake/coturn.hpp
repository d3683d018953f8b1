// A real coturn on loopback, as a child of the test.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/address.hpp"

namespace p2pdiag::testing {

struct CoturnOptions {
    bool rfc5780 = true;  // on 127.0.0.1 and 127.0.0.2
    bool tls = false;     // with a certificate for "localhost" that nobody vouches for
};

class Coturn {
public:
    // Nothing where the program is not installed or does not come up. Once it is there, it listens
    // on all its ports.
    static std::optional<Coturn> start(CoturnOptions options = {});
    ~Coturn();
    Coturn(Coturn&& other) noexcept;
    Coturn& operator=(Coturn&&) = delete;

    Endpoint endpoint() const { return endpoint_; }  // UDP and TCP
    Endpoint tls_endpoint() const { return tls_endpoint_; }
    std::string certificate_path() const { return directory_ + "/cert.pem"; }

private:
    Coturn() = default;
    static std::optional<Coturn> start_once(CoturnOptions options);

    pid_t pid_ = 0;
    std::string directory_;
    Endpoint endpoint_;
    Endpoint tls_endpoint_;
};

}  // namespace p2pdiag::testing
