// Inside of lib/net: what a TlsContext is.
#pragma once

#include <boost/asio/ssl/context.hpp>

#include "net/tls_context.hpp"

namespace p2pdiag::net {

class TlsContext {
public:
    boost::asio::ssl::context ssl{boost::asio::ssl::context::tls_client};
};

}  // namespace p2pdiag::net
