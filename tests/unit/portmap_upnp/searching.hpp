// A search that ends when enough has come.
#pragma once

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <vector>

#include "net/portmap/ssdp.hpp"

namespace p2pdiag::testing {

// Ends once there are `enough` answers, or when `patience` is over.
inline std::vector<net::portmap::SsdpAnswer> search(
    std::vector<net::portmap::SearchLink> links, std::size_t enough,
    Milliseconds patience = std::chrono::seconds(60)) {
    boost::asio::io_context context;
    std::vector<net::portmap::SsdpAnswer> answers;
    boost::asio::cancellation_signal signal;
    const auto on_answer = [&](const net::portmap::SsdpAnswer& answer) {
        answers.push_back(answer);
        if (answers.size() != enough) return;
        boost::asio::post(context, [&] { signal.emit(boost::asio::cancellation_type::terminal); });
    };
    auto task = net::portmap::ssdp_search(std::move(links), Clock::now() + patience, on_answer);
    boost::asio::co_spawn(
        context, std::move(task),
        boost::asio::bind_cancellation_slot(signal.slot(), [](std::exception_ptr) {}));
    context.run();
    return answers;
}

}  // namespace p2pdiag::testing
