#include "net/tls_context_impl.hpp"

namespace p2pdiag::net {

std::shared_ptr<TlsContext> make_tls_context() {
    auto context = std::make_shared<TlsContext>();
    boost::system::error_code ignored;  // no trusted certificate at all: every one is untrusted
    context->ssl.set_default_verify_paths(ignored);
    return context;
}

}  // namespace p2pdiag::net
