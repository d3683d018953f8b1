// Which router it was. In another network another one may have the same address, and knows nothing
// of the forward: what it says of it is not to be believed.
#pragma once

#include <string>
#include <vector>

#include "net/neighbours.hpp"
#include "net/portmap/types.hpp"

namespace p2pdiag::upnp_plugin {

// The address on the link of whoever is `service.router` there, "02:00:00:00:00:01". Empty where it
// is not known: on a link without such addresses, or when no packet went there lately.
std::string hardware_in(const std::vector<net::Neighbour>& table,
                        const net::portmap::Service& service);
// … now, as the kernel has it.
std::string hardware_of(const net::portmap::Service& service);

// Both are known, and they differ.
bool is_another(const std::string& then, const std::string& now);

}  // namespace p2pdiag::upnp_plugin
