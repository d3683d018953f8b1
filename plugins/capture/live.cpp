// The verb `capture live`.
#include "live.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>

#include "analyze.hpp"
#include "base/address.hpp"
#include "base/host_port.hpp"
#include "base/text.hpp"
#include "capture/pcapng_writer.hpp"
#include "capture/reader.hpp"
#include "capture/segment.hpp"
#include "live_checks.hpp"
#include "source.hpp"

namespace p2pdiag::capture_plugin {

namespace {

enum ExitCode { done = 0, usage = 2, not_permitted = 3, failed = 4 };

// Ctrl-C and friends end the capture, not this process: the file gets its end.
class StopSignals {
public:
    StopSignals() {
        sigset_t ours;
        ::sigemptyset(&ours);
        for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&ours, signal);
        ::sigprocmask(SIG_BLOCK, &ours, nullptr);
        fd_ = Fd(::signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK));
    }
    int fd() const { return fd_.get(); }
    // 0 = none came.
    int which() const {
        signalfd_siginfo info{};
        const bool came =
            ::read(fd_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info);
        return came ? static_cast<int>(info.ssi_signo) : 0;
    }

private:
    Fd fd_;
};

// All of it: what it says at its end is mostly the command that helps.
std::string shown(const std::string& what) { return printable(what, what.size()); }

int complain(const std::string& what, int code) {
    std::cout.flush();
    std::cerr << "p2pdiag: " << shown(what) << '\n';
    return code;
}

int refuse(const Refusal& refusal) {
    return complain(refusal.text(), refusal.not_permitted ? not_permitted : failed);
}

int refuse(const HelperResult& result) {
    // What was asked for cannot be: the helper's exit code 4.
    constexpr int bad_request = 4;
    if (result.exit_code == bad_request) return complain(result.why(), usage);
    return refuse(refusal_of(result));
}

std::string time_of_day(std::int64_t time_ns) {
    const std::time_t seconds = static_cast<std::time_t>(time_ns / 1'000'000'000);
    std::tm parts{};
    ::localtime_r(&seconds, &parts);
    char text[32];
    std::snprintf(text, sizeof text, "%02d:%02d:%02d.%03d", parts.tm_hour, parts.tm_min,
                  parts.tm_sec, static_cast<int>(time_ns / 1'000'000 % 1000));
    return text;
}

void show(const capture::Packet& packet, capture::Dissector& dissector) {
    capture::Segment segment;
    if (dissector.dissect(packet, segment) != capture::Skipped::no) return;
    std::cout << time_of_day(packet.time_ns.value_or(0)) << "  " << to_string(segment.carrier)
              << "  " << segment.from.to_string() << " -> " << segment.to.to_string() << "  "
              << times(segment.payload.size(), "byte") << (segment.fragment ? " (fragment)" : "")
              << '\n'
              << std::flush;
}

std::string summary_of(const capture::Totals& totals) {
    std::string text = times(totals.packets, "packet");
    if (!totals.lost) return text + "; whether some were lost is not known";
    if (*totals.lost > 0) text += "; " + std::to_string(*totals.lost) + " were lost";
    return text;
}

}  // namespace

std::string default_live_filter(std::string_view ssh_connection) {
    // sshd(8): client address, client port, server address, server port.
    std::vector<std::string> words;
    while (!ssh_connection.empty() && words.size() < 5) {
        const std::size_t end = std::min(ssh_connection.find(' '), ssh_connection.size());
        words.emplace_back(ssh_connection.substr(0, end));
        ssh_connection.remove_prefix(std::min(end + 1, ssh_connection.size()));
    }
    const std::string everything = "udp or tcp or icmp or icmp6 or ip6[6] = 44";
    if (words.size() != 4) return everything;
    const auto client = Endpoint::parse(HostPort{words[0], 1}.to_string());
    const auto port = parse_host_port("x:" + words[1]);
    if (!client || !port || !port->port) return everything;
    return "(" + everything + ") and not (host " + client->address.to_string() + " and tcp port " +
           std::to_string(*port->port) + ")";
}

LiveOrder read_live_order(const json::object& arguments) {
    LiveOrder order;
    const json::object* options = json::find_object(arguments, "options");
    if (options == nullptr) return order;
    if (const json::array* names = json::find_array(*options, "interface")) {
        for (const json::value& name : *names) {
            if (name.is_string()) order.helper.interfaces.emplace_back(name.get_string());
        }
    }
    if (const auto duration = json::find_integer(*options, "for")) {
        order.duration = Milliseconds(*duration);
    }
    order.write = json::find_string(*options, "write").value_or("");
    const char* ssh = std::getenv("SSH_CONNECTION");
    const std::string filter = default_live_filter(ssh == nullptr ? "" : ssh);
    order.helper.filter = json::find_string(*options, "filter").value_or(filter);
    if (order.helper.interfaces.empty()) {
        const auto links = net::interfaces();
        if (links) order.helper.interfaces = names_of(worth_listening(*links));
        order.helper.lenient = true;
    }
    const json::object* input = json::find_object(arguments, "input");
    const json::object* own = input != nullptr ? json::find_object(*input, "options") : nullptr;
    if (own != nullptr) {
        const auto snaplen = json::find_integer(*own, "snaplen").value_or(default_snap_length);
        order.helper.snap_length = static_cast<unsigned>(snaplen);
    }
    return order;
}

std::string LiveFile::open(const std::string& path) {
    constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    constexpr mode_t owner_alone = 0600;
    file_ = Fd(::open(path.c_str(), flags, owner_alone));
    if (file_.open()) return {};
    if (errno == EEXIST) return path + " is there already: choose another name, or remove it";
    return path + ": cannot be written: " + std::strerror(errno);
}

bool LiveFile::write(ByteView blocks) {
    if (write_all(file_.get(), as_text(blocks))) {
        size_ += static_cast<off_t>(blocks.size());
        return true;
    }
    const int why = errno;
    // Part of a block may have fitted.
    [[maybe_unused]] const int cut = ::ftruncate(file_.get(), size_);
    errno = why;
    return false;
}

// What analyzing the same packets from a file would print.
static void explain(Analysis& analysis, const capture::Totals& totals, const std::string& source) {
    Outcome result = analysis.finish(totals.lost.value_or(0) > 0, totals.ended_ns);
    add_totals(result, totals);
    Output output = output_of_terminal();
    output.source = source;
    std::cout << '\n' << render(result, output) << std::flush;
}

int capture_live(Run& run) {
    const auto arguments = json::parse(run.input());
    if (!arguments || !arguments->is_object()) return failed;
    const LiveOrder order = read_live_order(arguments->get_object());
    if (order.helper.interfaces.empty()) return complain("no link is up", failed);

    const StopSignals signals;
    const auto helper = HelperProcess::start(order.helper);
    if (!helper) return refuse(not_started(errno));
    const TimePoint until = order.duration ? Clock::now() + *order.duration : TimePoint::max();
    auto reader = capture::Reader::open(helper->packets(signals.fd(), until));
    if (!reader) return refuse(helper->result());
    LiveFile file;
    if (!order.write.empty()) {
        const std::string problem = file.open(order.write);
        if (!problem.empty()) return complain(problem, usage);
    }
    std::cerr << "p2pdiag: listening on " << shown(list_of(order.helper.interfaces))
              << "; Ctrl-C ends it\n";

    capture::Dissector dissector;
    Analysis analysis;
    Bytes blocks;
    capture::append_section(blocks, {"p2pdiag", {}, {}});
    std::size_t described = 0;
    int code = done;
    for (capture::Packet packet; reader->next(packet);) {
        show(packet, dissector);
        analysis.add(packet);
        if (!std::cout) break;  // nobody reads any more
        if (!file.is_open()) continue;
        for (; described < reader->interfaces().size(); ++described) {
            capture::append_interface(blocks, reader->interfaces()[described]);
        }
        capture::append_packet(blocks, packet);
        if (!file.write(blocks)) {
            code = complain(order.write + ": " + std::strerror(errno), failed);
            break;
        }
        blocks.clear();
    }
    const HelperResult result = helper->result();
    if (file.is_open() && code == done && described == 0) {
        for (const capture::Interface& interface : reader->interfaces()) {
            capture::append_interface(blocks, interface);
        }
        if (!file.write(blocks)) code = complain(order.write + ": " + std::strerror(errno), failed);
    }
    for (const HelperProblem& problem : result.problems) {
        complain(problem.interface + ": " + problem.text, code);
    }
    const bool seen = reader->totals().packets > 0;
    if (seen && std::cout) explain(analysis, reader->totals(), list_of(order.helper.interfaces));
    std::cout.flush();
    std::cerr << "p2pdiag: " << summary_of(reader->totals()) << '\n';
    if (code == done && result.exit_code != 0) code = failed;
    return code;
}

}  // namespace p2pdiag::capture_plugin
