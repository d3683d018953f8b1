// May a program here have this port? By taking it for a moment.
#pragma once

#include <cstdint>

#include "base/address.hpp"
#include "base/result.hpp"
#include "base/transport.hpp"

namespace p2pdiag::net {

// Binds a socket of this family to the port of every address and closes it at once; never listens,
// so nobody can connect. An IPv6 socket is for IPv6 alone. No error: the port was free. Otherwise
// the kernel's: address_in_use, permission_denied, address_family_not_supported, …
//
// Nothing softens the question (SO_REUSEADDR), so what is left of old connections counts as well.
ErrorCode try_port(Transport transport, Family family, std::uint16_t port);

}  // namespace p2pdiag::net
