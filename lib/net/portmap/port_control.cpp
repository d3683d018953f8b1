#include "net/portmap/port_control.hpp"

#include <boost/asio/this_coro.hpp>
#include <utility>

#include "net/portmap/exchange.hpp"
#include "net/udp_socket.hpp"

namespace p2pdiag::net::portmap {

namespace asio = boost::asio;

namespace {

struct Asked {
    Outcome<Exchange::Answer> answer = Failure{};
    std::chrono::microseconds rtt{0};  // since the last time it was sent
    unsigned ignored = 0;
};

// One question with its repetitions, over a socket of its own.
class Asking {
public:
    Asking(UdpSocket socket, Question question)
        : socket_(std::move(socket)), exchange_(std::move(question)) {}

    bool done() const { return exchange_.done(); }

    asio::awaitable<void> once(Milliseconds wait) {
        send();
        const TimePoint until = sent_ + wait;
        while (!done()) {
            const bool arrived = co_await socket_.wait(until);
            if (!arrived) break;
            receive();
        }
    }

    Asked result() const { return {exchange_.verdict(), rtt_, exchange_.ignored()}; }

private:
    void send() {
        sent_ = Clock::now();
        const ErrorCode error = socket_.send(exchange_.request(), exchange_.server());
        if (!error || error == boost::system::errc::operation_would_block) return;
        if (error == boost::system::errc::operation_not_permitted) {
            exchange_.on_kept_here(error.message());
        } else {
            exchange_.on_no_route(error.message());
        }
    }

    void receive() {
        const UdpSocket::OnDatagram on_datagram = [this](const Endpoint& from, ByteView bytes) {
            if (done()) return;
            exchange_.on_datagram(from, bytes);
            rtt_ = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - sent_);
        };
        const UdpSocket::OnError on_error = [this](const SendError& error) { problem(error); };
        socket_.receive(on_datagram, on_error);
    }

    void problem(const SendError& error) {
        if (error.destination != exchange_.server()) return;
        std::string text = error.error.message();
        if (error.reporter) text += ", says " + error.reporter->to_string();
        // The socket is new: no late news about an earlier question can come in here.
        const bool by_router = error.reporter == exchange_.server().address;
        if (by_router || error.error == boost::system::errc::connection_refused) {
            exchange_.on_absent(std::move(text));
        } else {
            exchange_.on_no_route(std::move(text));
        }
    }

    UdpSocket socket_;
    Exchange exchange_;
    TimePoint sent_{};
    std::chrono::microseconds rtt_{0};
};

asio::awaitable<Asked> ask(Question question, RetrySchedule schedule) {
    const Exchange checked(question);
    if (checked.done()) co_return Asked{checked.verdict()};
    const auto executor = co_await asio::this_coro::executor;
    const Service& service = question.service;
    auto socket = UdpSocket::open_on(executor, service.local, service.interface);
    if (!socket) {
        co_return Asked{Failure{Problem::no_route, 0, socket.error().message(), {}}};
    }
    Asking asking(std::move(*socket), std::move(question));
    for (const Milliseconds wait : schedule.waits) {
        if (!asking.done()) co_await asking.once(wait);
    }
    co_return asking.result();
}

}  // namespace

asio::awaitable<Outcome<PortControlStatus>> ask_status(Service service, RetrySchedule schedule) {
    Question question;
    question.service = std::move(service);
    const Asked asked = co_await ask(std::move(question), std::move(schedule));
    if (!asked.answer) co_return asked.answer.error();
    PortControlStatus status;
    status.external_address = asked.answer->external_address;
    status.epoch = asked.answer->epoch;
    status.rtt = asked.rtt;
    status.ignored = asked.ignored;
    co_return status;
}

asio::awaitable<Outcome<MapGrant>> port_control_map(Service service, MapRequest request,
                                                    RetrySchedule schedule) {
    Question question;
    question.kind = Question::Kind::map;
    question.service = std::move(service);
    question.request = std::move(request);
    const Asked asked = co_await ask(std::move(question), std::move(schedule));
    if (!asked.answer) co_return asked.answer.error();
    co_return asked.answer->grant;
}

asio::awaitable<Outcome<void>> port_control_unmap(Service service, MapRequest request,
                                                  RetrySchedule schedule) {
    Question question;
    question.kind = Question::Kind::unmap;
    question.service = std::move(service);
    question.request = std::move(request);
    const Asked asked = co_await ask(std::move(question), std::move(schedule));
    if (!asked.answer) co_return asked.answer.error();
    co_return Outcome<void>();
}

asio::awaitable<Outcome<PortControlStatus>> ask_status(Service service) {
    return ask_status(std::move(service), RetrySchedule());
}

asio::awaitable<Outcome<MapGrant>> port_control_map(Service service, MapRequest request) {
    return port_control_map(std::move(service), std::move(request), RetrySchedule());
}

asio::awaitable<Outcome<void>> port_control_unmap(Service service, MapRequest request) {
    return port_control_unmap(std::move(service), std::move(request), RetrySchedule());
}

}  // namespace p2pdiag::net::portmap
