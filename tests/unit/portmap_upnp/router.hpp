// What the tests of this folder ask a router that they play.
#pragma once

#include <catch2/catch.hpp>
#include <utility>

#include "../net/run_task.hpp"
#include "fake/igd.hpp"
#include "net/portmap/igd.hpp"

namespace p2pdiag::testing {

template <class T>
T run(boost::asio::awaitable<T> task) {
    boost::asio::io_context context;
    return run_on(context, std::move(task));
}

inline const IpAddress here = IpAddress::v4(0x7f000001);
inline constexpr int loopback_index = 1;

inline net::portmap::Outcome<net::portmap::IgdDescription> describe(const FakeIgd& router) {
    auto task =
        net::portmap::describe_igd(router.location(), router.address(), loopback_index, here);
    return run(std::move(task));
}

inline net::portmap::Service mapping_service(const FakeIgd& router, unsigned version = 1) {
    net::portmap::Service service;
    service.router = router.address();
    service.interface = loopback_index;
    service.local = here;
    service.control_url = router.control_url();
    service.service_type =
        "urn:schemas-upnp-org:service:WANIPConnection:" + std::to_string(version);
    return service;
}

inline net::portmap::MapRequest request_for(std::uint16_t internal, std::uint16_t external,
                                            long lease = 120) {
    net::portmap::MapRequest request;
    request.internal_port = internal;
    request.external_port = external;
    request.lifetime = net::portmap::Seconds(lease);
    request.description = "p2pdiag test";
    return request;
}

}  // namespace p2pdiag::testing
