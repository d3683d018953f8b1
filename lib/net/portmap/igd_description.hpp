// Inside of lib/net/portmap: what a description means, without any socket.
#pragma once

#include <string_view>
#include <vector>

#include "net/portmap/igd.hpp"
#include "net/portmap/soap.hpp"

namespace p2pdiag::net::portmap {

struct ReadDescription {
    IgdDescription description;             // without a mapping service
    std::vector<Service> mapping_services;  // the better kinds first; at most four
};
// `location` is where the document was. Every control URL in the result is on `router`.
Outcome<ReadDescription> read_description(std::string_view xml, const upnp::Url& location,
                                          const Router& router);

}  // namespace p2pdiag::net::portmap
