// Runs a coroutine to its end on a context of its own and hands back what it returned.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>

namespace p2pdiag::testing {

template <class T>
T run_on(boost::asio::io_context& context, boost::asio::awaitable<T> task) {
    std::optional<T> result;
    std::exception_ptr problem;
    auto finish = [&](std::exception_ptr thrown, T value) {
        problem = thrown;
        if (!thrown) result = std::move(value);
    };
    boost::asio::co_spawn(context, std::move(task), finish);
    context.run();
    context.restart();
    if (problem) std::rethrow_exception(problem);
    return std::move(*result);
}

}  // namespace p2pdiag::testing
