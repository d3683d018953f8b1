// TLS as a client, with the certificates that this system trusts.
#pragma once

#include <memory>

namespace p2pdiag::net {

class TlsContext;

// Reads no certificate before one is asked for. SSL_CERT_FILE and SSL_CERT_DIR name other places to
// look for trusted certificates, as in every program that uses OpenSSL. Never null.
std::shared_ptr<TlsContext> make_tls_context();

}  // namespace p2pdiag::net
