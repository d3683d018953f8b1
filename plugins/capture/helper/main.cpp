// p2pdiag-capture: opens network interfaces, gives up every privilege, and writes what passes them
// to stdout as pcapng, until stdin ends. It is the one program of p2pdiag that may be given
// CAP_NET_RAW: it loads no plugin, reads no file and no network packet's inside.
//
//   p2pdiag-capture --probe INTERFACE…
//   p2pdiag-capture [--lenient] [--snaplen BYTES] [--buffer KIB] [--filter EXPRESSION] INTERFACE…
//
// With --lenient an interface that is no good is left out, as long as there is another.
// Exit code: 0 ended as asked, 2 usage, 3 not permitted, 4 an interface or the filter is no good, 5
// something failed. Each problem is a line on stderr: INTERFACE, a tab, the kind, a tab, in words.
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"
#include "capture/live/live_capture.hpp"
#include "privileges.hpp"

namespace p2pdiag::capture_helper {

namespace {

using namespace capture;

enum ExitCode { ended = 0, usage = 2, not_permitted = 3, bad_request = 4, failed = 5 };

constexpr std::size_t most_interfaces = 16;
constexpr std::size_t most_filter_bytes = 8192;
constexpr std::uint32_t most_buffer_kib = 64 << 10;
// Packets of one interface before it is another's turn.
constexpr int batch = 256;

struct Request {
    bool probe = false;
    bool lenient = false;
    LiveOptions options;
    std::string filter;
    std::vector<std::string> interfaces;
};

struct Live {
    LiveInterface interface;
    bool over = false;
};

std::optional<std::uint32_t> number(std::string_view text, std::uint32_t most) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    if (value == 0 || value > most) return std::nullopt;
    return value;
}

std::optional<Request> parse(int argc, char** argv) {
    Request request;
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        if (word == "--probe") {
            request.probe = true;
        } else if (word == "--lenient") {
            request.lenient = true;
        } else if (word.starts_with("--")) {
            if (++i == argc) return std::nullopt;
            const std::string_view value = argv[i];
            if (word == "--filter" && value.size() <= most_filter_bytes) {
                request.filter = value;
            } else if (word == "--snaplen") {
                const auto bytes = number(value, static_cast<std::uint32_t>(max_packet));
                if (!bytes) return std::nullopt;
                request.options.snap_length = *bytes;
            } else if (word == "--buffer") {
                const auto kib = number(value, most_buffer_kib);
                if (!kib) return std::nullopt;
                request.options.buffer_bytes = *kib << 10;
            } else {
                return std::nullopt;
            }
        } else {
            request.interfaces.emplace_back(word);
        }
    }
    const bool fits = !request.interfaces.empty() && request.interfaces.size() <= most_interfaces;
    return fits ? std::optional(request) : std::nullopt;
}

std::string_view kind_of(LiveError error) {
    switch (error) {
        case LiveError::not_permitted: return "not-permitted";
        case LiveError::no_such_interface: return "no-such-interface";
        case LiveError::not_up: return "not-up";
        case LiveError::bad_filter: return "bad-filter";
        case LiveError::gone: return "gone";
        case LiveError::failed: break;
    }
    return "failed";
}

ExitCode exit_code_of(LiveError error) {
    switch (error) {
        case LiveError::not_permitted: return not_permitted;
        case LiveError::no_such_interface:
        case LiveError::not_up:
        case LiveError::bad_filter: return bad_request;
        case LiveError::gone:
        case LiveError::failed: break;
    }
    return failed;
}

void complain(const std::string& interface, const LiveProblem& problem) {
    std::string line = interface + '\t' + std::string(kind_of(problem.error)) + '\t';
    line += to_string(problem.error);
    if (!problem.detail.empty()) line += ": " + problem.detail;
    for (char& c : line) {
        if (c == '\n' || c == '\r') c = ' ';
    }
    write_all(STDERR_FILENO, line + '\n');
}

// One line for each: what there would be to see.
int probe(const Request& request) {
    int code = ended;
    for (const std::string& name : request.interfaces) {
        const auto opened = LiveInterface::open(name, request.options);
        if (!opened) {
            complain(name, opened.error());
            code = exit_code_of(opened.error().error);
            continue;
        }
        const int type = static_cast<int>(opened->description().link_type);
        write_all(STDOUT_FILENO, name + '\t' + std::to_string(type) + '\n');
    }
    return code;
}

bool send(const Bytes& bytes) { return write_all(STDOUT_FILENO, as_text(bytes)); }

bool send_heads(const std::vector<Live>& live) {
    Bytes heads;
    append_section(heads, {"p2pdiag-capture", {}, {}});
    for (const Live& one : live) append_interface(heads, one.interface.description());
    return send(heads);
}

// False when nobody reads any more.
bool receive(std::vector<Live>& live, const std::vector<pollfd>& polled) {
    Bytes out;
    for (std::uint32_t i = 0; i < live.size(); ++i) {
        if (live[i].over || polled[i].revents == 0) continue;
        LiveProblem problem;
        const auto append = [&out](const Packet& packet) { append_packet(out, packet); };
        live[i].over = !live[i].interface.receive(i, batch, append, problem);
        if (live[i].over) complain(live[i].interface.description().name, problem);
    }
    return out.empty() || send(out);
}

// Until stdin ends, nobody reads, or there is no interface left.
bool stream(std::vector<Live>& live) {
    for (;;) {
        std::vector<pollfd> polled;
        bool any = false;
        for (const Live& one : live) {
            polled.push_back({one.over ? -1 : one.interface.fd(), POLLIN, 0});
            any = any || !one.over;
        }
        polled.push_back({STDIN_FILENO, POLLIN, 0});
        polled.push_back({STDOUT_FILENO, 0, 0});
        if (::poll(polled.data(), polled.size(), -1) < 0 && errno != EINTR) return false;
        if (!receive(live, polled)) return false;
        const bool told_to_end = polled[live.size()].revents != 0;
        const bool nobody_reads = polled[live.size() + 1].revents != 0;
        if (told_to_end || nobody_reads) return true;
        if (!any) return false;
    }
}

int capture(const Request& request) {
    std::vector<Live> live;
    ExitCode code = ended;
    for (const std::string& name : request.interfaces) {
        auto opened = LiveInterface::open(name, request.options);
        if (!opened) {
            complain(name, opened.error());
            code = exit_code_of(opened.error().error);
            if (!request.lenient || code == not_permitted) return code;
            continue;
        }
        live.push_back({std::move(*opened)});
    }
    if (live.empty()) return code;
    if (!drop_privileges()) {
        complain("-", {LiveError::failed, "privileges could not be given up"});
        return failed;
    }
    // Only now is anything looked at that somebody else wrote.
    for (Live& one : live) {
        const auto begun = one.interface.begin(request.filter);
        if (begun) continue;
        complain(one.interface.description().name, begun.error());
        return exit_code_of(begun.error().error);
    }
    if (!send_heads(live)) return failed;
    const bool as_asked = stream(live);
    Bytes end;
    for (std::uint32_t i = 0; i < live.size(); ++i) {
        append_statistics(end, live[i].interface.statistics(i));
    }
    return send(end) && as_asked ? ended : failed;
}

}  // namespace

int run(int argc, char** argv) {
    // A Ctrl-C on the terminal is for who started this; the end of stdin is what counts.
    ::signal(SIGINT, SIG_IGN);
    ::signal(SIGPIPE, SIG_IGN);
    const auto request = parse(argc, argv);
    if (!request) {
        write_all(STDERR_FILENO,
                  "usage: p2pdiag-capture [--probe] [--lenient] [--snaplen BYTES] [--buffer KIB] "
                  "[--filter EXPRESSION] INTERFACE...\n");
        return usage;
    }
    return request->probe ? probe(*request) : capture(*request);
}

}  // namespace p2pdiag::capture_helper

// A set-capability program cannot be looked at by a sanitizer's leak check, which would fail: so it
// ends without.
int main(int argc, char** argv) { ::_exit(p2pdiag::capture_helper::run(argc, argv)); }
